#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make docs: Documentation/ as HTML, in build/docs/html
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
cd "$top"
. qemu/debs.sh
. qemu/kernel.sh
. qemu/host-packages.sh
. qemu/docs/render.sh

need_host_packages build docs
lock_directory "$build"
steps=2
step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
step 'rendering Documentation/' render_docs "$build/docs"
echo "read $build/docs/html/index.html"
