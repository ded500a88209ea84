# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One boot of the guest, to run one task.

# guest_failed DIRECTORY SECONDS STATUS-OF-QEMU
guest_failed()
{
	grep -v 'has no peer' "$1/qemu.log" >&2 || true
	tail -n 30 "$1/guest.log" >&2
	case $3 in
	0) die "the guest ended before its task did, see $1/guest.log" ;;
	124) die "the guest was not done after $2 s, see $1/guest.log" ;;
	*) die "QEMU failed, its message is above" ;;
	esac
}

# SD cards have a power of two. Hardly any of it takes place on the host.
disk_size=1G

# Its allocator notices use after free.
emulation=()
kernel_options='slub_debug=FZPU'

# With one instruction per ns, and nothing that differs from boot to boot: then
# the guest's clock counts instructions. One CPU, as idle ones would count too.
count_instructions()
{
	emulation=(-icount 'shift=0,sleep=off'
		   -rtc 'base=2000-01-01,clock=vm')
	kernel_options='randomize_kstack_offset=off cryptomgr.notests maxcpus=1'
}

# quit_when_halted DIRECTORY SECONDS: ends QEMU on boards that nothing in the guest
# can switch off.
quit_when_halted()
{
	local second
	for ((second = 0; second < $2; second++)); do
		if grep -qs 'reboot: System halted' "$1/guest.log"; then
			kill "$(cat "$1/qemu.pid")"
			return
		fi
		sleep 1
	done
}

# boot_guest DIRECTORY SECONDS: DIRECTORY/in/tmp holds "task" and what it needs,
# which is not zipped, as the guest takes long for that: Linux wants such a cpio
# first, where it is aligned.
# The guest may write to registers by /dev/mem, as tests do to hang the engine.
# Prints what the task prints; leaves DIRECTORY/out and DIRECTORY/guest.log.
boot_guest()
{
	local disk=$1/disk.img lists status=0 quitter='' dtb=()
	lists=$(IFS=, && echo "boot_modules=${boot_modules[*]}" \
			      "untouched=${untouched[*]}")
	rm -rf "$1/out"
	mkdir -p "$1/out"
	{
		pack "$1/in"
		cat "$guest/initramfs.gz"
	} >"$1/initramfs"
	[ ! -f "$guest_dtb" ] || dtb=(-dtb "$guest_dtb")
	truncate -s "$disk_size" "$disk"
	rm -f "$1/guest.log"
	if [[ $command_line = *end=halt* ]]; then
		quit_when_halted "$1" "$2" >&2 &
		quitter=$!
	fi
	timeout --foreground "$2" "${machine[@]}" \
		"${emulation[@]}" -display none -monitor none -no-reboot -nic none \
		-pidfile "$1/qemu.pid" \
		-serial file:"$1/guest.log" -serial stdio \
		-kernel "$(kernel_image "$guest_kernel")" \
		-initrd "$1/initramfs" "${dtb[@]}" \
		-append "$command_line $lists panic=-1 \
			iomem=relaxed $kernel_options" \
		-drive file="$disk",format=raw,"$drive" "${devices[@]}" \
		</dev/null 2>"$1/qemu.log" || status=$?
	[ -z "$quitter" ] || kill "$quitter" 2>/dev/null || true
	[ "$status" -eq 0 ] || guest_failed "$1" "$2" "$status"
	tar -xf "$disk" -C "$1/out"
	rm "$disk" "$1/initramfs"
	[ -f "$1/out/status" ] || guest_failed "$1" "$2" 0
}

# measure TASK DIRECTORY: that of guest/measure; leaves DIRECTORY/figures. The guest
# has been made.
measure()
{
	mkdir -p "$2/in/tmp"
	install "$top/qemu/guest/measure" "$2/in/tmp/task"
	install -m 644 "$top/qemu/guest/figures" "$2/in/tmp"
	echo "$1" >"$2/in/tmp/task-name"
	boot_guest "$2" 600 >"$2/figures"
}

# count TASK DIRECTORY: the same, in instructions
count()
(
	count_instructions
	measure "$@"
)

# compare_to_budgets FIGURES: prints KTAP
compare_to_budgets()
{
	"$top/qemu/judge.py" budgets "$1" "$top/qemu/budgets" \
		"$(aarch64-linux-gnu-gcc -dumpversion)"
}
