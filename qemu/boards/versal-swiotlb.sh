# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The board of versal.sh, whose engine gets bounce buffers for all memory but
# SRAM: then it shows which syncs are missing.

# shellcheck source=SCRIPTDIR/versal.sh
. "$top/qemu/boards/versal.sh"
command_line+=' swiotlb=force'
