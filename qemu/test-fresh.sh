#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test-fresh.sh [RELEASE/USER...]
#
# make test-fresh: both commands of README on a new machine: a chroot of Debian 12
# and one of Debian 13, for root and for a user with sudo each, with no more than
# make and git, and no cache. Prints KTAP in short, with the time that each took.
# A chroot that something failed in stays in build/fresh/.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/debs.sh"

machines=(bookworm/root bookworm/user trixie/root trixie/user)
[ "$#" -eq 0 ] || machines=("$@")
out=$build/fresh

# Where the copy of the tree is in the chroot
place=/srv/dmacpy

# make_machine RELEASE USER DIRECTORY
make_machine()
{
	local packages=make,git
	[ "$2" = root ] || packages+=,sudo
	release_sources "$1" | mmdebstrap --quiet --variant=minbase \
		--include="$packages" "$1" "$3"
	cp /etc/resolv.conf /etc/hosts "$3/etc"
	chroot "$3" useradd --create-home --shell /bin/bash user
	[ "$2" = root ] ||
		echo 'user ALL=(ALL) NOPASSWD: ALL' >"$3/etc/sudoers.d/user"
	(cd "$top" && copy_tree "$3$place")
	chroot "$3" chown -R "$2:" "$place"
}

# in_machine DIRECTORY USER COMMAND: the mounts and all processes end with it.
in_machine()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child bash -eu -c '
		mount -t proc proc "$1/proc"
		mount -t sysfs sysfs "$1/sys"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" su - "$2" -c "cd $3 && $4"
	' bash "$1" "$2" "$place" "$3" </dev/null
}

# suite NAME COMMAND...: of one test
suite()
{
	printf '#@ suite %s\n1..1\n' "$1"
	attempt "${@:2}" 2>&1
	[ "$attempt_status" -eq 0 ] || printf 'not '
	printf 'ok 1 %s\n#@ exit %d\n' "$1" $((attempt_status != 0))
}

# readme RELEASE/USER COMMAND: its last line is what it is to print last.
readme()
{
	in_machine "$out/$1" "${1#*/}" "$2" >"$out/$1.$2.log" 2>&1 || {
		tail -n 20 "$out/$1.$2.log"
		return 1
	}
	tail -n 1 "$out/$1.$2.log" | tee -a "$out/last-lines"
}

# Catches: a user who is not told what to ask root for.
without_root()
{
	local log=$out/$1.without-root.log
	chroot "$out/$1" chown -R user: "$place"
	! in_machine "$out/$1" user 'make run' >"$log" 2>&1 || return
	cat "$log"
	grep -q '^error: as root, run: apt-get install .*qemu-system-arm' "$log"
	rm -rf "$out/$1$place/build"
	chroot "$out/$1" chown -R root: "$place"
}

test_machine()
{
	rm -rf --one-file-system "${out:?}/$1"
	mkdir -p "$out/$1"
	suite "$1/bootstrap" make_machine "${1%/*}" "${1#*/}" "$out/$1"
	[ "${1#*/}" != root ] || suite "$1/without-root" without_root "$1"
	suite "$1/run" readme "$1" 'make run'
	suite "$1/test" readme "$1" 'make test'
}

[ "$(id -u)" -eq 0 ] || die "this makes and enters chroots: run it as root"
need_host_packages fresh
lock_directory "$out"
for machine in "${machines[@]}"; do
	echo "#@ suites $machine/bootstrap $machine/run $machine/test"
	test_machine "$machine"
done | tee "$out/full.log" | "$top/qemu/judge.py" suites
for machine in "${machines[@]}"; do
	rm -rf --one-file-system "${out:?}/$machine"
done
