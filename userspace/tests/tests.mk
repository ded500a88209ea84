# SPDX-License-Identifier: GPL-2.0-only
#
# Included by ../Makefile. Each executable file in $(O)/tests is a test that
# prints KTAP. KSELFTEST is the directory of kselftest_harness.h.

TESTS := abi account async camera copier cpu crossing data engines fake fences \
	 heap idle \
	 latency library life limits order outputs personalities power \
	 prepared probe report \
	 share show spread sram stall storm swiotlb unbind watchdog
SHELL_TESTS := boardtest bpftrace directload doctor drmshare examples module \
	       overlap python ringcopy selftest sim tool top tracing tune v4l2ctl
RECIPE_TESTS := bpftrace tracing
LIBDRM_TESTS := display drm
LIBURING_TESTS := faults fuzz stress uring
TEST_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard tests/*.c))

# Debian's compiler for amd64 does not find this header.
HAVE_DRM_H := $(shell $(CC) -E -include drm/drm.h -x c /dev/null \
		>/dev/null 2>&1 && echo yes)

# The layout of the ABI is checked for 32 bits, too, if there is a compiler.
CC32 ?= $(shell command -v arm-linux-gnueabihf-gcc)

tests: $(addprefix $(O)/tests/,$(TESTS) $(SHELL_TESTS) layout.o) \
       $(if $(HAVE_DRM_H),$(O)/selftests/dmabuf-heap) \
       $(O)/tests/bin/untouched \
       $(O)/tests/lib/expbuf.so \
       $(if $(LIBDRM),$(addprefix $(O)/tests/,$(LIBDRM_TESTS))) \
       $(if $(LIBURING),$(addprefix $(O)/tests/,$(LIBURING_TESTS))) \
       $(if $(CC32),$(O)/tests/layout32.o)

$(TEST_OBJS): override CPPFLAGS += -isystem $(KSELFTEST)
$(TEST_OBJS): override CFLAGS += -pthread -Wno-unused-parameter

$(O)/tests/layout32.o: tests/layout.c
	@mkdir -p $(@D)
	$(CC32) -I../uapi -std=gnu11 -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

$(addprefix $(O)/tests/,$(TESTS)): $(O)/tests/%: $(O)/tests/%.o \
		$(addprefix $(O)/tests/,common.o engine.o inject.o instance.o) \
		$(LIBDMACPY)
	$(link)

$(O)/tests/stress: $(addprefix $(O)/tests/,model.o worker.o)

$(O)/tests/bin/untouched: $(O)/tests/untouched.o
	@mkdir -p $(@D)
	$(link)

# Preloaded by v4l2ctl.sh
$(O)/tests/expbuf.o: override CFLAGS += -fPIC
$(O)/tests/lib/expbuf.so: $(O)/tests/expbuf.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $^

# Linked dynamically, as there is only a shared library.
$(addprefix $(O)/tests/,$(LIBDRM_TESTS)): override LDFLAGS := \
		$(filter-out -static,$(LDFLAGS))
$(addprefix $(O)/tests/,$(LIBDRM_TESTS)): $(O)/tests/%: $(O)/tests/%.o \
		$(addprefix $(O)/tests/,card.o common.o engine.o instance.o) \
		$(LIBDMACPY)
	$(link) $(LIBDRM)

$(addprefix $(O)/tests/,$(LIBURING_TESTS)): $(O)/tests/%: $(O)/tests/%.o \
		$(addprefix $(O)/tests/,common.o engine.o inject.o instance.o \
		ring.o) $(LIBDMACPY)
	$(link) $(LIBURING)

# For selftest.sh, unchanged from the kernel's source
$(O)/selftests/dmabuf-heap: $(KSELFTEST)/dmabuf-heaps/dmabuf-heap.c
	@mkdir -p $(@D)
	$(CC) -O2 $(LDFLAGS) -o $@ $<

$(O)/tests/recipes.sh: tests/recipes.awk ../Documentation/tracing.rst
	@mkdir -p $(@D)
	awk -f $^ >$@

define shell_test
	@mkdir -p $(@D)
	cat $^ >$@
	chmod +x $@
endef

$(addprefix $(O)/tests/,$(RECIPE_TESTS)): \
		$(O)/tests/%: tests/ktap.sh $(O)/tests/recipes.sh tests/%.sh
	$(shell_test)

$(addprefix $(O)/tests/,$(filter-out $(RECIPE_TESTS),$(SHELL_TESTS))): \
		$(O)/tests/%: tests/ktap.sh tests/%.sh
	$(shell_test)

# For users of real devices: every device passes their tests, or skips those for
# the engine that fails on command, which dmacpy-sim and the boards of "make test"
# have. The other suites need that engine, unbind devices, or set the clock.
INSTALLED_TESTS := abi data library prepared

installed-tests: $(addprefix $(O)/tests/,$(INSTALLED_TESTS))

install-tests: installed-tests
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/dmacpy \
		$(DESTDIR)$(PREFIX)/share/man/man1
	install $(addprefix $(O)/tests/,$(INSTALLED_TESTS)) \
		$(DESTDIR)$(PREFIX)/libexec/dmacpy
	install tests/dmacpy-tests $(DESTDIR)$(PREFIX)/bin
	install -m 644 man/dmacpy-tests.1 $(DESTDIR)$(PREFIX)/share/man/man1

.PHONY: tests installed-tests install-tests
