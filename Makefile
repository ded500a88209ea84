# SPDX-License-Identifier: GPL-2.0-only

# IMAGE, a picture for "make run", and CMD, a command for "make guest"
export IMAGE CMD

include userspace/version.mk

# The kernel that "make modules" builds for
KDIR ?= /lib/modules/$(shell uname -r)/build
# The kernels that it has been built for; those between are expected to work
KNOWN_KERNELS := 6.1, 6.12 and 7.3
MODULES_OUT ?= $(CURDIR)/build/modules
MODULES_CONFIG := CONFIG_DMACPY=m CONFIG_DMACPY_SIM=m

.PHONY: help run test test-boards test-debug test-long test-kcsan test-targets \
	test-fresh coverage check check-kernels check-self-test docs bench \
	bench-check guest guest-debug stress stress-debug modules \
	modules_install userspace abi series test-series \
	packages test-packages clean distclean

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: make run [IMAGE=photo.png]  filter a picture in QEMU, by DMA through SRAM
run:
	@qemu/run.sh

#: make test                   run the tests that need no debug kernel, in QEMU
test:
	@qemu/test.sh stock

#: make test-boards [GUEST=versal/6.1-arm64]  the same on all boards and kernels
test-boards:
	@qemu/test.sh boards

#: make test-debug [GUEST=versal/debug-arm64]  the same on debug kernels
test-debug:
	@qemu/test.sh debug

#: make test-kcsan             the same on a kernel that looks for data races
test-kcsan:
	@qemu/test.sh kcsan

#: make test-long [GUEST=zynq/debug-arm]  some of these on debug kernels, for longer
test-long:
	@qemu/test.sh long

#: make coverage               all tests, and which lines of the driver they run
coverage:
	@qemu/test.sh coverage

#: make stress [SECONDS=600] [SEED=...]  all at random, all failures, in QEMU
stress:
	@qemu/guest.sh versal/6.12-arm64 $(or $(SECONDS),600) $(SEED)

#: make stress-debug [GUEST=zynq/debug-arm]  the same on a debug kernel
stress-debug:
	@qemu/guest.sh $(or $(GUEST),versal/debug-arm64) \
		$(or $(SECONDS),600) $(SEED)

#: make check                  check the source: style, types, documentation
check:
	@qemu/check.sh

#: make check-kernels          which kernels Debian serves, and which are tested
check-kernels:
	@qemu/check-kernels.sh

#: make check-self-test        break each rule in a copy, see make check fail
check-self-test:
	@qemu/check.sh --self-test

#: make test-targets [TEST=target_run]  each command as the first, and failures
test-targets:
	@qemu/test-targets.sh '$(TEST)'

#: make test-fresh [FRESH=trixie/user]  run and test on a new Debian, as root
test-fresh:
	@qemu/test-fresh.sh $(FRESH)

#: make docs                   Documentation/ as HTML, in build/docs/html
docs:
	@qemu/docs.sh

#: make bench                  what copies cost: tables and plots
bench:
	@qemu/bench.sh report

#: make bench-check            count what copies cost, and compare to budgets
bench-check:
	@qemu/bench.sh check

#: make guest CMD='...' [GUEST=zcu102/6.12-arm64]
#:                             run one command in QEMU, with dmacpy loaded
guest:
	@qemu/guest.sh $(or $(GUEST),versal/6.12-arm64)

#: make guest-debug CMD='...' [GUEST=zynq/debug-arm]  on a debug kernel
guest-debug:
	@qemu/guest.sh $(or $(GUEST),versal/debug-arm64)

# make splits names at white space, and kbuild at colons.
check_path = case '$(CURDIR)' in *[[:space:]:]*) \
	echo "error: make cannot build in a directory that has a space or a" \
		"colon in its name: move $(CURDIR)" >&2; exit 1 ;; esac

# kbuild writes beside what it reads: it gets links, so that its output stays
# out of driver/.
#: make modules [KDIR=...]     build build/modules/driver/dmacpy.ko, and dmacpy-sim
modules:
	@$(check_path)
	@[ -d $(KDIR) ] || \
		{ echo "error: no kernel to build for in $(KDIR): install" \
		  "linux-headers-$$(uname -r), or say where it is by KDIR=" >&2; \
		  exit 1; }
	@mkdir -p $(MODULES_OUT)/driver/kunit
	@find $(MODULES_OUT) -type l -delete
	@ln -s $(CURDIR)/driver/* $(MODULES_OUT)/driver
	@ln -s $(CURDIR)/kunit/dmacpy_fake_dma.[ch] $(CURDIR)/kunit/dmacpy_sim.c \
		$(MODULES_OUT)/driver/kunit
	@ln -s $(CURDIR)/uapi $(MODULES_OUT)/uapi
	@$(MAKE) -C $(KDIR) M=$(MODULES_OUT)/driver $(MODULES_CONFIG) \
		DMACPY_VERSION=$(VERSION) modules || \
		{ echo "error: dmacpy has not built for Linux" \
		  "$$($(MAKE) -s --no-print-directory -C $(KDIR) \
		     kernelversion): it is known to build for" \
		  "$(KNOWN_KERNELS)" >&2; exit 1; }

#: make modules_install [INSTALL_MOD_PATH=...]  install it, after make modules
modules_install:
	@[ -f $(MODULES_OUT)/driver/dmacpy.ko ] || \
		{ echo "error: there is no module yet: run make modules" >&2; \
		  exit 1; }
	@$(MAKE) -C $(KDIR) M=$(MODULES_OUT)/driver $(MODULES_CONFIG) \
		modules_install
	@# kbuild leaves this out, as distributions' headers have no System.map.
	@# Those of Debian's 6.1 do not know the release that they install to.
	@release=$$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		   $(KDIR)/include/generated/utsrelease.h); \
	PATH="$$PATH:/usr/sbin:/sbin"; \
	if [ ! -f $(INSTALL_MOD_PATH)/lib/modules/$$release/modules.builtin ]; \
	then \
		echo "warning: no kernel $$release there: run depmod with it" >&2; \
	elif ! command -v depmod >/dev/null; then \
		echo "warning: no depmod here: run \"depmod $$release\"" >&2; \
	else \
		depmod -b $(or $(INSTALL_MOD_PATH),/) $$release; \
	fi

# Each architecture has a directory of its own, or what another one has left would
# be taken for up to date.
USERSPACE_OUT ?= $(CURDIR)/build/$(or $(notdir $(CROSS_COMPILE:-=)),native)

#: make userspace [CROSS_COMPILE=...]  library, tools and examples, in build/native
userspace:
	@$(check_path)
	@$(MAKE) -C userspace O=$(USERSPACE_OUT) all

#: make abi                    write the stored ABI of the library anew
abi:
	@command -v abidw >/dev/null || \
		{ echo "error: there is no abidw: install abigail-tools" >&2; \
		  exit 1; }
	@$(MAKE) -C userspace O=$(CURDIR)/build/abi \
		CROSS_COMPILE=aarch64-linux-gnu- update-abi

#: make series [KERNEL="6.12 newest"]  dmacpy as patches for these kernels
series:
	@qemu/series.sh make $(KERNEL)

#: make test-series            build and check each patch, run them by kunit.py
test-series:
	@qemu/series.sh test $(KERNEL)

#: make packages [DEB_ARCH=arm64]  Debian packages in build/packages, made in a chroot
packages:
	@qemu/packages.sh build

#: make test-packages          install, use and remove them in a chroot and in QEMU
test-packages:
	@qemu/packages.sh test

#: make clean                  remove build/
clean:
	rm -rf build

#: make distclean              also remove the cache of Debian's packages
distclean: clean
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/dmacpy"
