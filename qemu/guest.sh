#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/guest.sh BOARD/TREE [STRESS-SECONDS [SEED]]
#
# make guest, make guest-debug: run the shell command $CMD in the guest, with
# dmacpy loaded, on that board and kernel (see boards.sh), for at most
# $GUEST_SECONDS.
# make stress, make stress-debug: the command is the suite "stress", for so long.
# The seed that it prints repeats what its threads do. A debug kernel is asked what
# it has seen, and the kernel's log is judged.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"
select_guest "$1"

# stress_command SECONDS SEED
stress_command()
{
	echo 'echo suite stress >/dev/kmsg'
	echo "DMACPY_SECONDS=$1 DMACPY_SEED=$2 /tests/stress"
	[[ $guest_kernel != debug-* ]] || cat <<-'EOT'
		status=$?
		./suites unload && ./suites instruments_debug && [ $status -eq 0 ]
	EOT
}

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
	if [[ $CMD = *bpftrace* ]]; then
		fetch_program bpftrace "$guest_arch"
		install_program "$build/guest/in" bpftrace
	fi
}

if [ "$#" -gt 1 ]; then
	CMD=$(stress_command "$2" "${3:-}")
	GUEST_SECONDS=$(($2 + 600))
fi
[ -n "${CMD:-}" ] || die "say what to run, as in: make guest CMD='dmacpy info'"
steps=$(($(guest_prepare_steps) + 2))
need_guest_packages "$guest_kernel"
make_guest_files
write_task
attempt boot_guest "$build/guest" "${GUEST_SECONDS:-600}"
if [ "$attempt_status" -eq 0 ]; then
	attempt_status=$(cat "$build/guest/out/status")
	printf 'exit status %s, kernel log in %s\n' "$attempt_status" \
		"${build#"$PWD"/}/guest/guest.log"
fi
[ "$#" -eq 1 ] || "$top/qemu/judge.py" kernel-log \
	"$top/qemu/kernel-log-allowed" <"$build/guest/guest.log"
exit "$attempt_status"
