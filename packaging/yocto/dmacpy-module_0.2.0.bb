# SPDX-License-Identifier: GPL-2.0-only
SUMMARY = "On-chip SRAM and DMA engines for user space: the driver"
LICENSE = "GPL-2.0-only"

require dmacpy.inc

inherit module

MAKE_TARGETS = "modules"
EXTRA_OEMAKE += "KDIR=${STAGING_KERNEL_DIR} MODULES_OUT=${B}/modules"

RPROVIDES:${PN} += "kernel-module-dmacpy"
