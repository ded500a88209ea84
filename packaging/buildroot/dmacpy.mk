# SPDX-License-Identifier: GPL-2.0-only
# DMACPY_SITE says where the source is: an external tree sets it.
DMACPY_VERSION = 0.2.0
DMACPY_SITE_METHOD ?= git
DMACPY_LICENSE = GPL-2.0-only, LGPL-2.1-or-later (library)
DMACPY_LICENSE_FILES = LICENSES/GPL-2.0-only.txt LICENSES/LGPL-2.1-or-later.txt
DMACPY_INSTALL_STAGING = YES

ifeq ($(BR2_PACKAGE_LIBURING),y)
DMACPY_DEPENDENCIES += host-pkgconf liburing
endif

DMACPY_MODULE_SUBDIRS = driver
DMACPY_MODULE_MAKE_OPTS = CONFIG_DMACPY=m DMACPY_VERSION=$(DMACPY_VERSION)

define DMACPY_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_DMADEVICES)
	$(call KCONFIG_ENABLE_OPT,CONFIG_SYNC_FILE)
	$(call KCONFIG_ENABLE_OPT,CONFIG_SRAM)
endef

DMACPY_MAKE = $(TARGET_MAKE_ENV) $(MAKE) $(TARGET_CONFIGURE_OPTS) SHARED=1 \
	-C $(@D)/userspace O=$(@D)/objects PREFIX=/usr LIBDIR=/usr/lib

define DMACPY_BUILD_CMDS
	$(DMACPY_MAKE) all
endef

define DMACPY_INSTALL_STAGING_CMDS
	$(DMACPY_MAKE) DESTDIR=$(STAGING_DIR) install
endef

define DMACPY_INSTALL_TARGET_CMDS
	$(DMACPY_MAKE) DESTDIR=$(TARGET_DIR) install
endef

define DMACPY_USERS
	- - dmacpy -1 - - - - The devices of dmacpy
endef

$(eval $(kernel-module))
$(eval $(generic-package))
