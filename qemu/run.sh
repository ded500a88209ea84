#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make run: the demonstration. The guest filters the picture $IMAGE.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

# The picture that "make run" filters if it is not given one, from Debian's
# package python3-sklearn: the README.txt beside it has author and licence.
default_photo=$cache/photo/usr/lib/python3/dist-packages/sklearn/datasets
default_photo+=/images/china.jpg
default_photo_licence='CC BY 2.0, by danielbuechele'

unpack_photo()
{
	unpack_deb "$host_release" "$host_arch" python3-sklearn "$1"
}

fetch_photo()
{
	fetch_once photo unpack_photo
}

out=$build/run
image=${IMAGE:-$default_photo}

# Any format of any depth that netpbm reads, to 8-bit RGB. It may be the last result.
convert_image()
{
	anytopnm "$image" | pamdepth 255 | ppmtoppm >"$build/in.ppm" ||
		die "give a picture in PNG, JPEG or another format of netpbm"
}

write_task()
{
	rm -rf "$out"
	mkdir -p "$out/in/tmp"
	mv "$build/in.ppm" "$out/in/tmp"
	install "$top/qemu/guest/demo" "$out/in/tmp/task"
}

run_guest()
{
	boot_guest "$out" 120
	[ "$(cat "$out/out/status")" = 0 ] # and so the result is bit-exact
}

compose_result()
{
	pnmtopng "$out/out/filtered.ppm" >"$out/filtered.png"
	pnmcat -leftright "$out/in/tmp/in.ppm" "$out/out/filtered.ppm" |
		pnmtopng >"$out/result.png"
}

write_report()
{
	{
		echo "file: $image"
		[ -n "${IMAGE:-}" ] || echo "licence: $default_photo_licence"
		echo "kernel: $(kernel_release "$guest_kernel")"
		cat "$out/out/tilefilter.txt"
		grep -E '^(copies-in|time)-' "$out/out/slow.txt" |
			sed 's/^/at-5-mb-per-s-/'
	} >"$out/report.txt"
}

# reported KEY: its value in the report
reported()
{
	sed -n "s/^$1: //p" "$out/report.txt"
}

say_what_happened()
{
	local where=${out#"$top"/}
	local bytes=$(($(reported dma-bytes-in) + $(reported dma-bytes-out)))
	printf 'filtered %s bit-exactly: %s tiles, %s bytes by DMA, %s ms;' \
		"$(basename "$image")" "$(reported tiles)" "$bytes" \
		"$(reported time-total-ms)"
	printf ' at 5 MB/s %s of %s ms gained by copying meanwhile;' \
		"$(reported at-5-mb-per-s-time-gained-ms)" \
		"$(reported at-5-mb-per-s-time-total-ms)"
	printf ' before and after: %s/result.png\n' "$where"
}

[ -z "${IMAGE:-}" ] || [ -r "$IMAGE" ] ||
	die "cannot read $IMAGE: give the path of a picture, as in" \
	    "make run IMAGE=photo.png"
guest_purpose=demo
steps=$(($(guest_prepare_steps) + 5))
[ -n "${IMAGE:-}" ] || : $((steps += 1))
select_guest versal/6.12-arm64
need_guest_packages "$guest_kernel"
make_guest_files
[ -n "${IMAGE:-}" ] || step "fetching a photograph" fetch_photo
step "converting $(basename "$image")" convert_image
write_task
step "filtering it in the guest" run_guest
step "composing the result" compose_result
write_report
rm -r "$out/in" "$out/out"
say_what_happened
