# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What all scripts here share: where things are, messages, steps, locks.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dmacpy
build=$top/build

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

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

# step WHAT COMMAND...: run it quietly; show how long it took, or the end of
# what it printed.
step()
{
	local what=$1 start=$SECONDS log
	shift
	log=$build/log/$((step_number += 1)).log
	mkdir -p "$build/log"
	printf '[%d/%d] %s ... ' "$step_number" "$steps" "$what"
	attempt "$@" >"$log" 2>&1
	if [ "$attempt_status" -ne 0 ]; then
		printf 'failed\n'
		tail -n 30 "$log" >&2
		die "$what failed, all of its output is in $log"
	fi
	printf '%d s\n' $((SECONDS - start))
}

# Wait until no other script uses a directory; it is ours until we exit.
lock_directory()
{
	local fd
	mkdir -p "$1"
	exec {fd}>"$1/.lock"
	flock --nonblock "$fd" && return
	printf 'waiting for another make that uses %s\n' "$1"
	flock "$fd"
}
