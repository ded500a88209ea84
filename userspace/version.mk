# SPDX-License-Identifier: GPL-2.0-only
#
# VERSION, as the library's header has it, and nothing else.
version := $(shell sed -n 's/^.define DMACPY_VERSION_[A-Z]*\t//p' \
	$(dir $(lastword $(MAKEFILE_LIST)))include/dmacpy.h)
VERSION := $(word 1,$(version)).$(word 2,$(version)).$(word 3,$(version))
