# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian packages of the host, listed in the file host-packages.

missing_host_packages()
{
	local purpose package status
	while read -r purpose package; do
		[ "$purpose" = "$1" ] || continue
		status=$(dpkg-query -Wf '${db:Status-Abbrev}' "$package" \
			 2>/dev/null) || true
		[ "${status% }" = ii ] || printf '%s\n' "$package"
	done <"$top/qemu/host-packages"
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "as root, run: $*"
	fi
}

# need_host_packages PURPOSE...: install those of the list that are missing.
need_host_packages()
{
	local purpose missing=()
	for purpose; do
		mapfile -t -O "${#missing[@]}" missing \
			< <(missing_host_packages "$purpose")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	printf 'installing %s\n' "${missing[*]}"
	as_root apt-get -qq update ||
		printf 'apt-get update failed, trying with what is known\n' >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install \
		--no-install-recommends "${missing[@]}" >/dev/null ||
		die "could not install ${missing[*]}: see above why"
}
