# SPDX-License-Identifier: GPL-2.0-only
SUMMARY = "On-chip SRAM and DMA engines for user space: library and tool"
LICENSE = "GPL-2.0-only & LGPL-2.1-or-later"
DEPENDS = "liburing"

require dmacpy.inc

inherit pkgconfig useradd

USERADD_PACKAGES = "${PN}"
GROUPADD_PARAM:${PN} = "--system dmacpy"

EXTRA_OEMAKE = " \
    'CC=${CC}' 'AR=${AR}' 'NM=${NM}' SHARED=1 O=${B}/objects \
    PREFIX=${prefix} LIBDIR=${libdir} \
"

do_compile() {
    oe_runmake -C ${S}/userspace all
}

do_install() {
    oe_runmake -C ${S}/userspace DESTDIR=${D} install
}

PACKAGES =+ "lib${BPN}"
FILES:lib${BPN} = "${libdir}/libdmacpy.so.*"
FILES:${PN} += " \
    ${nonarch_libdir}/udev ${nonarch_libdir}/sysusers.d \
    ${datadir}/bash-completion ${datadir}/zsh \
"
LICENSE:lib${BPN} = "LGPL-2.1-or-later"
RRECOMMENDS:${PN} = "kernel-module-dmacpy"
