#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The modpost of a 64-bit host, for a 32-bit kernel: it does all of its checks
# but cannot read tables of device IDs, as it takes a pointer in them to be 64
# bits long. They are hidden from it; the module has no alias then.

objects=$(cat)
for object in $objects; do
	arm-linux-gnueabihf-objcopy --wildcard \
		--strip-symbol='__mod_*_device_table' "$object" || exit
done
echo "$objects" | "$0.real-lsb-32" "$@"
