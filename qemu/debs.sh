# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages. Those of any architecture and release are unpacked, without root
# and without a change to the host: apt has a state of its own for each of them, so
# that an index that the mirror is just replacing does not affect the others.
# Signatures are checked with the keys that every Debian has. Those that the host
# needs are installed.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# os_release FIELD: of the host
os_release()
{
	sed -n "s/^$1=//p" /etc/os-release | tr -d '"'
}

[ "$(os_release ID)" = debian ] ||
	die "this needs Debian 12 or 13, but the host is" \
	    "$(os_release PRETTY_NAME)"
[ -r "$keyring" ] ||
	die "$keyring is missing: install the package debian-archive-keyring"
[ "$(os_release VERSION_ID | grep . || echo 99)" -ge 12 ] ||
	die "this needs Debian 12 or 13, but the host is older:" \
	    "$(os_release PRETTY_NAME)"
host_arch=$(dpkg --print-architecture)
# Unstable names itself after the next release.
host_release=$(os_release VERSION_CODENAME)
host_release=${host_release:-sid}

# arch_release ARCH: the one that programs and libraries of another architecture
# are taken from: the host's, so that they match its cross-compiler, unless that
# architecture was not released then.
arch_release()
{
	case $1/$host_release in
	riscv64/bookworm) echo trixie ;;
	*) echo "$host_release" ;;
	esac
}

# archive_uri LABEL: where the host gets Debian (label Debian) and its security
# updates (label Debian-Security) from
archive_uri()
{
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' "Label: $1" | sort -u | head -n 1
}

# release_sources RELEASE: the list of sources of one
release_sources()
{
	local main security
	main=$(archive_uri Debian)
	security=$(archive_uri Debian-Security)
	[ -n "$main" ] || die "apt knows no archive of Debian: check" \
		"/etc/apt/sources.list and run apt-get update"
	main="deb [signed-by=$keyring] $main"
	echo "$main $1 main"
	case $1 in
	sid | *-backports) return ;;
	esac
	echo "$main $1-updates main"
	[ -z "$security" ] ||
		echo "deb [signed-by=$keyring] $security $1-security main"
}

# apt_for RELEASE ARCH COMMAND...: apt-get or apt-cache on its state
apt_for()
{
	local arch=$2 state=$cache/apt/$1-$2 command=$3
	shift 3
	"$command" -q -o Dir::State::Lists="$state/lists" \
		-o Dir::Etc::SourceList="$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::status=/dev/null -o Dir::Cache="$state/cache" \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none \
		-o APT::Update::Error-Mode=any "$@"
}

# What the lists of a release or a package may take. apt-get update hangs for ever
# on a full disk.
download_mib=300

# apt_get RELEASE ARCH WHAT ARGUMENT...: on its state, with the progress of WHAT
apt_get()
{
	[ "$(free_mib "$cache")" -ge "$download_mib" ] ||
		die "no room left in $cache: downloads need $download_mib MiB"
	apt_for "$1" "$2" apt-get -o APT::Status-Fd=3 "${@:4}" 3>&1 >&2 |
		show_progress "$3"
}

# update_debs RELEASE ARCH: once in each run of a script. A mirror in the
# middle of a sync serves indexes that do not match for a moment. What is still
# missing after that is noticed where a package is missing; debs_are_outdated
# is for a script that needs all lists.
this_run="$$ $EPOCHSECONDS"
update_debs()
{
	local state=$cache/apt/$1-$2 pause
	! grep -qxs "$this_run" "$state/updated" || return 0
	mkdir -p "$state"/lists/partial "$state"/cache/archives/partial
	release_sources "$1" >"$state/sources.list"
	echo "$this_run" >"$state/outdated"
	for pause in 5 0; do
		if apt_get "$1" "$2" "lists of $1" update; then
			rm "$state/outdated"
			break
		fi
		sleep "$pause"
	done
	echo "$this_run" >"$state/updated"
}

# debs_are_outdated RELEASE ARCH: has update_debs failed to get all lists?
debs_are_outdated()
{
	grep -qxs "$this_run" "$cache/apt/$1-$2/outdated"
}

# deb_field RELEASE ARCH PACKAGE FIELD: of the newest version
deb_field()
{
	update_debs "$1" "$2" >&2
	apt_for "$1" "$2" apt-cache show --no-all-versions "$3" |
		sed -n "s/^$4: //p" | grep . ||
		die "no package $3 for $2 in Debian's $1: is the network up?" \
		    "If it is, try again later: the mirror may be just being" \
		    "updated"
}

# download_deb RELEASE ARCH PACKAGE VERSION: prints the name of the file. apt
# keeps a complete one from an earlier try. A killed run may have left that of
# another architecture.
download_deb()
{
	local try file=$cache/debs/$3_${4//:/%3a}
	mkdir -p "$cache/debs"
	update_debs "$1" "$2" >&2
	for try in 1 2 3; do
		(cd "$cache/debs" && apt_get "$1" "$2" "$3" download "$3=$4") &&
			{ compgen -G "${file}_$2.deb" ||
				compgen -G "${file}_all.deb"; } && return
		sleep $((try * 2))
		rm "$cache/apt/$1-$2/updated"
		update_debs "$1" "$2" >&2
	done
	die "could not download $3 $4 for $2 from your mirror: is the network" \
	    "up, and is there room in $cache? If so, try again later"
}

# unpack_deb RELEASE ARCH PACKAGE DIRECTORY [VERSION], by default the newest
unpack_deb()
{
	local version=${5:-} file
	[ -n "$version" ] || version=$(deb_field "$1" "$2" "$3" Version) ||
		exit
	file=$(download_deb "$1" "$2" "$3" "$version") || exit
	dpkg-deb -x "$file" "$4" || exit
	rm "$file"
}

# unpack_with_depends RELEASE ARCH DIRECTORY PACKAGE...: and all that they depend on
unpack_with_depends()
{
	local release=$1 arch=$2 to=$3 file
	shift 3
	update_debs "$release" "$arch"
	mkdir -p "$to/debs/partial"
	apt_get "$release" "$arch" "$1" install -o Debug::NoLocking=true \
		-o Dir::Cache::Archives="$to/debs" --no-install-recommends \
		--download-only --yes "$@" ||
		die "could not download $* for $arch from Debian's $release:" \
		    "is the network up, and is there room in $cache?"
	for file in "$to"/debs/*.deb; do
		dpkg-deb -x "$file" "$to" || exit
	done
	rm -r "$to/debs"
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

# What the host needs: packages, or what some provide, by what they are for
declare -A host_packages=(
	# all but make check
	[build]='binutils-aarch64-linux-gnu cpio device-tree-compiler file gcc
		gcc-aarch64-linux-gnu libc6-dev libc6-dev-arm64-cross make
		netpbm pahole patchelf pkg-config python3 qemu-system-arm
		xz-utils'
	# for 32 bits
	[arm]='gcc-arm-linux-gnueabihf libc6-dev-armhf-cross'
	# for a PC
	[pc]=qemu-system-x86
	# for RISC-V
	[riscv]='gcc-riscv64-linux-gnu libc6-dev-riscv64-cross opensbi
		qemu-system-riscv64'
	# to build a kernel
	[kernel]='bc bison flex perl python3'
	# to install modules
	[modules]=kmod
	# to draw plots
	[bench]=gnuplot-nox
	# for the HTML
	[docs]='perl python3-sphinx'
	# for make check
	[check]='abigail-tools codespell mandoc reuse rpm shellcheck sparse zsh'
	# for its check of the binding
	[binding]=dt-schema
	# to install a Debian
	[fresh]='mmdebstrap python3'
	# for patches
	[series]=git
)

# installed_packages: prints their names, and those of what they provide
installed_packages()
{
	dpkg-query -Wf '${db:Status-Abbrev}${Package}, ${Provides}\n' |
		sed -n 's/^ii *//; T; s/ ([^)]*)//g; s/, */\n/g; p'
}

missing_host_packages()
{
	# shellcheck disable=SC2086 # several
	printf '%s\n' ${host_packages[$1]} |
		grep -vxF "$(installed_packages)" || true
}

# all_missing_host_packages PURPOSE...
all_missing_host_packages()
{
	local purpose
	for purpose; do
		missing_host_packages "$purpose"
	done
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Another apt may be at work, or one may have been killed. No package of the user's
# is removed: cross compilers conflict with gcc-multilib.
install_packages()
{
	local attempt
	for attempt in 1 2; do
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
			-o DPkg::Lock::Timeout=600 -o APT::Status-Fd=1 \
			install --no-remove --no-install-recommends "$@" |
			show_progress apt && return
		[ "$attempt" = 2 ] || as_root dpkg --configure -a >&2 || return
	done
	return 1
}

# need_host_packages PURPOSE...: install those that are missing. A
# subshell, so that the lock ends with it.
need_host_packages()
(
	mapfile -t missing < <(all_missing_host_packages "$@")
	[ "${#missing[@]}" -gt 0 ] || exit 0
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
		die "as root, run: apt-get install --no-install-recommends" \
		    "${missing[*]}"
	lock_directory "$cache"
	mapfile -t missing < <(all_missing_host_packages "$@")
	[ "${#missing[@]}" -gt 0 ] || exit 0
	printf 'installing %s\n' "${missing[*]}"
	as_root apt-get -qq update ||
		printf 'apt-get update failed, trying with what is known\n' >&2
	install_packages "${missing[@]}" ||
		die "could not install ${missing[*]}: see above why"
)
