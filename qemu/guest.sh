#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/guest.sh BOARD/TREE
#
# make guest, make guest-debug: run the shell command $CMD in the guest, with
# dmacpy loaded, on that board and kernel (see boards.sh), for at most
# $GUEST_SECONDS.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"
select_guest "$1"

write_task()
{
	rm -rf "$build/guest"
	mkdir -p "$build/guest/in/tmp"
	install "$top/qemu/guest/suites" "$build/guest/in/tmp"
	cat >"$build/guest/in/tmp/task" <<EOT
#!/bin/sh
insmod /lib/modules/dmacpy_fake_dma.ko
[ ! -f /lib/modules/dmacpy.ko ] || insmod /lib/modules/dmacpy.ko
[ -z "\$simulated" ] || insmod /lib/modules/dmacpy_sim.ko
$CMD
EOT
	chmod +x "$build/guest/in/tmp/task"
	[[ $CMD != *python* ]] || install_python "$build/guest/in"
}

[ -n "${CMD:-}" ] || die "say what to run, as in: make guest CMD='dmacpy info'"
steps=$(($(guest_prepare_steps) + 2))
need_guest_packages "$guest_kernel"
make_guest_files
write_task
boot_guest "$build/guest" "${GUEST_SECONDS:-600}"
status=$(cat "$build/guest/out/status")
printf 'exit status %s, kernel log in %s\n' "$status" \
	"${build#"$PWD"/}/guest/guest.log"
exit "$status"
