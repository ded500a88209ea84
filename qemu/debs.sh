# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages of any architecture, without root and without a change to
# the host: apt with a state of its own for each architecture, so that one
# whose index the mirror is just replacing does not take the others along.

command -v dpkg >/dev/null || die 'this needs a host with Debian 12'
host_arch=$(dpkg --print-architecture)

# apt_for ARCH COMMAND...: apt-get or apt-cache on its state
apt_for()
{
	local arch=$1 state=$cache/apt/$1 command=$2
	shift 2
	"$command" -q -o Dir::State::Lists="$state/lists" \
		-o Dir::State::status=/dev/null -o Dir::Cache="$state/cache" \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

update_debs()
{
	mkdir -p "$cache/apt/$1/lists/partial" \
		"$cache/apt/$1/cache/archives/partial"
	apt_for "$1" apt-get update
}

# A mirror in the middle of a sync serves indexes that do not match for a
# moment. What is still missing after that is noticed by who needs it.
update_debs_patiently()
{
	update_debs "$1" && return
	sleep 5
	update_debs "$1" && return
	printf 'the package lists of %s are not complete\n' "$1" >&2
}

# deb_field ARCH PACKAGE FIELD: of the newest version
deb_field()
{
	apt_for "$1" apt-cache show --no-all-versions "$2" |
		sed -n "s/^$3: //p" | grep . ||
		die "no package $2 for $1: add its archive to" \
		    "/etc/apt/sources.list, or try again later if the mirror" \
		    "is just being updated"
}

# download_deb ARCH PACKAGE VERSION: prints the name of the file. apt keeps
# a complete one from an earlier try.
download_deb()
{
	local try file=$cache/debs/$2_${3//:/%3a}
	mkdir -p "$cache/debs"
	for try in 1 2 3; do
		(cd "$cache/debs" && apt_for "$1" apt-get download "$2=$3") \
			>&2 && ls "$file"_*.deb && return
		sleep $((try * 2))
		update_debs "$1" >&2 || true
	done
	die "could not download $2 $3 for $1 from your mirror: try again later"
}

# unpack_deb ARCH PACKAGE DIRECTORY [VERSION], by default the newest
unpack_deb()
{
	local version=${4:-} file
	[ -n "$version" ] || version=$(deb_field "$1" "$2" Version) || exit
	file=$(download_deb "$1" "$2" "$version") || exit
	dpkg-deb -x "$file" "$3" || exit
	rm "$file"
}

# list_key ITEM...: for the name of what is made of the items of this list. With
# another list it gets another name, and so is made again.
list_key()
{
	printf '%s\n' "$@" | sha256sum | cut -c 1-8
}

# fetch_once NAME COMMAND...: have the command, which gets the name of a
# directory and exits when it fails, make what is in the cache as NAME. What
# was interrupted is not there. A subshell, so that the lock ends with it.
fetch_once()
(
	tree=$cache/$1
	shift
	[ ! -d "$tree" ] || exit 0
	lock_directory "$cache"
	[ ! -d "$tree" ] || exit 0
	rm -rf "$tree.partial"
	mkdir -p "$tree.partial"
	"$@" "$tree.partial"
	mv "$tree.partial" "$tree"
)
