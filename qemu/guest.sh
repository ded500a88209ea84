#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/guest.sh [TREE]
#
# make guest, make guest-debug: run the shell command $CMD in the guest, with
# dmacpy loaded, on the kernel TREE (see kernel.sh), 6.12-arm64 by default.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
guest_kernel=${1:-6.12-arm64}
. "$top/qemu/guest-files.sh"

write_task()
{
	rm -rf "$build/guest"
	mkdir -p "$build/guest/in"
	cat >"$build/guest/in/task" <<EOT
#!/bin/sh
insmod /lib/modules/dmacpy_fake_dma.ko
insmod /lib/modules/dmacpy.ko
$CMD
EOT
	chmod +x "$build/guest/in/task"
}

[ -n "${CMD:-}" ] || die "say what to run, as in: make guest CMD='dmacpy info'"
steps=$guest_file_steps
need_host_packages "${guest_packages[@]}"
make_guest_files all tests
write_task
boot_guest "$build/guest" 600
status=$(cat "$build/guest/out/status")
printf 'exit status %s, kernel log in %s\n' "$status" \
	"${build#"$PWD"/}/guest/guest.log"
exit "$status"
