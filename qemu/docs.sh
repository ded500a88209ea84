#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make docs: Documentation/ as HTML, in build/docs/html
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
cd "$top"
. qemu/debs.sh
. qemu/kernel.sh

# The kernel-doc in it is that of scripts/kernel-doc of this kernel.
render_docs()
{
	make -s -C Documentation O="$build/docs" \
		KERNEL_DOC="$(kernel_source_dir 6.12-arm64)/scripts/kernel-doc"
}

need_host_packages build docs
lock_directory "$build"
steps=2
step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
step 'rendering Documentation/' render_docs
echo "read $build/docs/html/index.html"
