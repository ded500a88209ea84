# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Documentation/ as HTML. The kernel-doc in it is that of scripts/kernel-doc of
# the kernel 6.12-arm64, which has to be there.

# render_docs DIRECTORY: a warning is an error. All pages are new, as Sphinx warns
# about a page only when it reads it.
render_docs()
{
	KERNEL_DOC=$(kernel_source_dir 6.12-arm64)/scripts/kernel-doc \
		sphinx-build -q -E -W --keep-going -c qemu/docs -d "$1/doctrees" \
		Documentation "$1/html"
}
