# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What all scripts here share: where things are, messages, steps, locks, and the
# files of the tree.

# What programs print is read here, so it must be English; LANGUAGE overrides
# LC_ALL. Users of the guest read its files.
export LC_ALL=C.UTF-8 LANGUAGE=
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dmacpy
build=$top/build

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# A command that Ctrl-C ends may report anything.
trap 'printf "\nerror: interrupted\n" >&2; exit 130' INT TERM HUP

# make splits names at white space, and kbuild at colons.
case $top$cache in
*[[:space:]:]*)
	die "make cannot build in a directory that has a space or a colon in" \
	    "its name: move $top, or set XDG_CACHE_HOME if it is in $cache"
	;;
esac

# Set by a script that has several steps.
steps=1
step_number=0

# attempt COMMAND...: run it with -e on, which "if" would turn off, and leave
# its status in attempt_status.
attempt()
{
	set +e
	(set -e; "$@")
	attempt_status=$?
	set -e
}

# What a terminal shows of what is being done
exec {shown}>&1
shown_line=

# progress TEXT: on a terminal, how far it is
progress()
{
	[ ! -t "$shown" ] ||
		printf '\r%s%s\e[K' "$shown_line" "$1" >&"$shown"
}

# show_progress NAME: what apt-get prints on APT::Status-Fd, as progress
show_progress()
{
	local kind percent
	while IFS=: read -r kind _ percent _; do
		[[ $kind != [dp][lm]status ]] || progress "$1 ${percent%.*} %"
	done
	progress ''
}

# free_mib DIRECTORY: how much room there is
free_mib()
{
	df -m --output=avail "$1" | tail -n 1
}

# say_why LOG: what failed prints "error:" last if it knows why, and the first of
# these lines has the cause of the others. A full disk makes programs fail for all
# kinds of reasons.
say_why()
{
	local directory
	if [[ $(tail -n 1 "$1") = error:* ]]; then
		grep -m 1 '^error:' "$1"
	else
		tail -n 30 "$1"
	fi
	for directory in "$build" "$cache" "${TMPDIR:-/tmp}"; do
		[ ! -d "$directory" ] || [ "$(free_mib "$directory")" -ge 4 ] ||
			printf 'error: no room left in %s\n' "$directory"
	done
}

# need_writable DIRECTORY: a command that ran as root may have made it.
need_writable()
{
	[ -w "$1" ] ||
		die "cannot write to $1, which belongs to $(stat -c %U "$1")"
}

# step WHAT COMMAND...: run it quietly; show how long it took, or why it failed.
step()
{
	local what=$1 start=$SECONDS log
	shift
	log=$build/log/$((step_number += 1)).log
	mkdir -p "$build/log"
	need_writable "$build/log"
	rm -f "$log"
	shown_line="[$step_number/$steps] $what ... "
	printf '%s' "$shown_line"
	: >"$log"
	attempt "$@" >"$log" 2>&1
	if [ "$attempt_status" -ne 0 ]; then
		printf 'failed\n'
		say_why "$log" >&2
		die "$what failed, all of its output is in $log"
	fi
	printf '%d s\n' $((SECONDS - start))
}

# Wait until no other script uses a directory; it is ours until we exit.
lock_directory()
{
	local fd
	mkdir -p "$1"
	need_writable "$1"
	exec {fd}>"$1/.lock"
	flock --nonblock "$fd" && return
	printf 'waiting for another make that uses %s\n' "$1"
	flock "$fd"
}

# Parts of build/ that other commands write, which do not take lock_build
unlocked=(abi docs fresh modules native packages series targets '*-linux-gnu*')

# lock_build: the same for build/. What a run wrote that was killed may be cut off,
# and newer than what make would make it from.
lock_build()
{
	local unfinished=$build/.unfinished name keep=(-path "$build/.lock")
	for name in "${unlocked[@]}"; do
		keep+=(-o -path "$build/$name")
	done
	lock_directory "$build"
	if [ -e "$unfinished" ]; then
		printf 'the last run was killed: removing what it wrote\n'
		find "$build" \( "${keep[@]}" \) -prune -o \
			! -type d -newer "$unfinished" -exec rm -f {} +
	fi
	touch "$unfinished"
	trap 'rm -f "$build/.unfinished"' EXIT
}

# tree_files [find expression]: the files of the tree in the current directory,
# without what builds and checkpatch leave
tree_files()
{
	find . \( -name .git -o -path ./build -o -name '.checkpatch-*' \) \
		-prune -o -type f "$@" -print |
		sed 's,^\./,,' | sort
}

# copy_tree TO: what is in the tree, not what was built from it
copy_tree()
{
	rm -rf "$1"
	mkdir -p "$1"
	tree_files -true | tar -cf - -T - | tar -xf - -C "$1"
}
