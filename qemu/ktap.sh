#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the output of test suites on stdin, prints it as KTAP in short and
# ends with "N passed, N failed". What should be there and is not has failed.
#
# The stream is that of the suites, each in a frame of these lines:
#
#   #@ suites NAME...	what is going to run, once or more
#   #@ suite NAME	the output of a suite follows
#   #@ exit STATUS	that suite has ended
#
# Suites of the name BOARD/KERNEL/SUITE have sums for each board and kernel.
set -u

passed=0 failed=0 skipped=0
expected=() suite='' suite_number=0
rows=()
declare -A finished=() row_passed=() row_failed=() row_skipped=()

begin_suite()
{
	[ -z "$suite" ] || end_suite 'no end'
	suite=$1 plan='' seen=0 suite_start=$SECONDS
	suite_passed=0 suite_failed=0 suite_skipped=0
	context=()
}

# fail TEXT: something that the suite itself did not report
fail()
{
	printf '  # %s: %s\n' "$suite" "$1"
	: $((suite_failed += 1))
}

end_suite()
{
	if [ -z "$plan" ]; then
		fail 'no plan'
	elif [ "$seen" -ne "$plan" ]; then
		fail "$plan tests planned, $seen run"
	fi
	case $1 in
	0) ;;
	1) [ "$suite_failed" -gt 0 ] || fail 'exit status 1' ;;
	4) [ "$suite_skipped" -gt 0 ] || fail 'exit status 4' ;;
	'no end') fail 'cut off' ;;
	*) fail "exit status $1" ;;
	esac
	report_suite
}

report_suite()
{
	local result=ok
	[ "$suite_failed" -eq 0 ] || { result='not ok'; show_context; }
	: $((passed += suite_passed)) $((failed += suite_failed))
	: $((skipped += suite_skipped))
	add_to_row "${suite%/*}"
	printf '%s %d %s # %d passed, %d failed, %d skipped, %d s\n' \
		"$result" $((suite_number += 1)) "$suite" "$suite_passed" \
		"$suite_failed" "$suite_skipped" $((SECONDS - suite_start))
	finished[$suite]=1
	suite=''
}

add_to_row()
{
	[ "$1" != "$suite" ] || return 0
	[ -n "${row_passed[$1]:-}" ] || rows+=("$1")
	: $((row_passed[$1] += suite_passed))
	: $((row_failed[$1] += suite_failed))
	: $((row_skipped[$1] += suite_skipped))
}

report_rows()
{
	local row
	for row in "${rows[@]}"; do
		printf '# %s: %d passed, %d failed, %d skipped\n' "$row" \
			"${row_passed[$row]}" "${row_failed[$row]}" \
			"${row_skipped[$row]}"
	done
}

# The last lines before a failure mostly say why.
show_context()
{
	local first=$((${#context[@]} - 10))
	[ "${#context[@]}" -eq 0 ] ||
		printf '  %s\n' "${context[@]:first > 0 ? first : 0}"
	context=()
}

# result LINE: "ok N name", "not ok N name", either with "# SKIP why"
result()
{
	local number=${1#not }
	number=${number#ok }
	number=${number%%[!0-9]*}
	[ "$number" = $((seen += 1)) ] ||
		fail "test $seen expected, found: $1"
	if [[ $1 = 'not ok '* ]]; then
		: $((suite_failed += 1))
		show_context
		printf '  %s\n' "$1"
	elif [[ $1 =~ '# SKIP' ]]; then
		: $((suite_skipped += 1))
		printf '  %s\n' "$1"
	else
		: $((suite_passed += 1))
	fi
	context=()
}

set_plan()
{
	[ -z "$plan" ] || fail 'a second plan'
	plan=${1#1..}
	plan=${plan%%[!0-9]*}
	[ "$plan" -eq 0 ] || return 0
	if [[ $1 =~ '# SKIP' ]]; then
		: $((suite_skipped += 1))
	else
		fail 'nothing to run'
	fi
}

suite_line()
{
	case $1 in
	'#@ exit '*) end_suite "${1#'#@ exit '}" ;;
	1..[0-9]*) set_plan "$1" ;;
	'ok '[0-9]* | 'not ok '[0-9]*) result "$1" ;;
	'Bail out!'*) fail "$1" ;;
	?*) context+=("$1") ;;
	esac
}

read_stream()
{
	local line names
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'#@ suites '*)
			read -ra names <<<"${line#'#@ suites '}"
			expected+=("${names[@]}")
			;;
		'#@ suite '*) begin_suite "${line#'#@ suite '}" ;;
		*) [ -z "$suite" ] || suite_line "$line" ;;
		esac
	done
	[ -z "$suite" ] || end_suite 'no end'
}

fail_missing_suites()
{
	local name
	for name in "${expected[@]}"; do
		[ -z "${finished[$name]:-}" ] || continue
		begin_suite "$name"
		fail 'did not run'
		report_suite
	done
}

echo 'KTAP version 1'
read_stream
fail_missing_suites
echo "1..$suite_number"
report_rows
[ "$skipped" -eq 0 ] || skipped_text=", $skipped skipped"
echo "$passed passed, $failed failed${skipped_text:-}"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
