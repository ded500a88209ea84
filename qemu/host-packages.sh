# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages of the host, listed in the file host-packages.

# installed_packages: prints their names, and those of what they provide
installed_packages()
{
	dpkg-query -Wf '${db:Status-Abbrev}${Package}, ${Provides}\n' |
		sed -n 's/^ii *//; T; s/ ([^)]*)//g; s/, */\n/g; p'
}

missing_host_packages()
{
	sed -n "s/^$1 //p" "$top/qemu/host-packages" |
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

# Another apt may be at work, or one may have been killed.
install_packages()
{
	local attempt
	for attempt in 1 2; do
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
			-o DPkg::Lock::Timeout=600 -o APT::Status-Fd=1 \
			install --no-install-recommends "$@" |
			show_progress apt && return
		[ "$attempt" = 2 ] || as_root dpkg --configure -a >&2 || return
	done
	return 1
}

# need_host_packages PURPOSE...: install those of the list that are missing. A
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
