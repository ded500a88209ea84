# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests of the Python package. They print KTAP themselves.

rm -rf "$work"
PATH=$PATH:/usr/bin exec python3 test_dmacpy.py
