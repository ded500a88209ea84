# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests of "make test-targets" that run a command of make help in a copy of
# the tree without build/. Each checks what the command is for.

# expect COMMAND...: it succeeds, or the end of the log is shown.
expect()
{
	"$@" && return
	echo "# status $status, and not: $*"
	tail -n 20 "$log" | sed 's/^/# /'
	return 1
}

# make_in_clone NAME ARGUMENT...
make_in_clone()
{
	clone "$1"
	run "$log" make -C "$tree" "${@:2}"
}

# said PATTERN: in what the command printed?
said()
{
	grep -Eq -- "$1" "$log"
}

# Catches: make run that needs what only make test makes.
target_run()
{
	make_in_clone run run
	expect [ "$status" -eq 0 ]
	expect grep -qx 'bit-exact: yes' "$tree/build/run/report.txt"
	expect [ -s "$tree/build/run/result.png" ]
}

# Catches: the exit status or the output of the guest's command that is lost.
target_guest()
{
	make_in_clone guest guest CMD='dmacpy info; exit 3'
	expect [ "$status" -ne 0 ]
	expect said '^SRAM'
	expect said '^exit status 3,'
}

target_bench_check()
{
	make_in_clone bench-check bench-check
	expect [ "$status" -eq 0 ]
	expect said '^ok 1 wait '
}

target_stress()
{
	make_in_clone stress stress SECONDS=5 SEED=1
	expect [ "$status" -eq 0 ]
	expect said '^ok 1 '
}

target_modules()
{
	local args
	read -ra args < <(kernel_make_args 6.12-arm64)
	make_in_clone modules modules \
		KDIR="$(kernel_build_dir 6.12-arm64)" "${args[@]}"
	expect [ "$status" -eq 0 ]
	expect grep -q dmacpy "$tree/build/modules/driver/dmacpy.ko"
	run "$log" make -C "$tree" modules_install "${args[@]}" \
		KDIR="$(kernel_build_dir 6.12-arm64)" INSTALL_MOD_PATH="$tree/root"
	expect [ "$status" -eq 0 ]
	expect [ -n "$(find "$tree/root/lib/modules" -name 'dmacpy.ko*')" ]
	expect [ -n "$(find "$tree/root/lib/modules" -name 'dmacpy_sim.ko*')" ]
}

# Catches: a cross-build that takes what a native one has left for up to date.
target_userspace()
{
	make_in_clone userspace userspace
	expect [ "$status" -eq 0 ]
	expect [ -s "$tree/build/native/libdmacpy.a" ]
	expect [ -x "$tree/build/native/examples/hello" ]
	run "$log" "$tree/build/native/dmacpy" --version
	expect [ "$status" -eq 0 ]
	run "$log" make -C "$tree" userspace CROSS_COMPILE=aarch64-linux-gnu-
	expect [ "$status" -eq 0 ]
	run "$log" file "$tree/build/aarch64-linux-gnu/dmacpy"
	expect said aarch64
}

target_docs()
{
	make_in_clone docs docs
	expect [ "$status" -eq 0 ]
	expect said "^read $tree/build/docs/html/index.html"
	expect grep -q dmacpy_job_submit "$tree/build/docs/html/library.html"
}

# Catches: a command of make help that is none.
target_help()
{
	local targets name
	make_in_clone help help
	expect [ "$status" -eq 0 ]
	mapfile -t targets < <(sed -n 's/^make \([a-z-]*\).*/\1/p' "$log")
	expect [ "${#targets[@]}" -gt 15 ]
	for name in "${targets[@]}"; do
		expect grep -q "^$name:" "$tree/Makefile"
	done
}
