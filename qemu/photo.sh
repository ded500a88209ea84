# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The picture that "make run" filters if it is not given one, from Debian's
# package python3-sklearn: the README.txt beside it has author and licence.

default_photo=$cache/photo/usr/lib/python3/dist-packages/sklearn/datasets
default_photo+=/images/china.jpg
default_photo_licence='CC BY 2.0, by danielbuechele'

unpack_photo()
{
	unpack_deb "$host_release" "$host_arch" python3-sklearn "$1"
}

fetch_photo()
{
	fetch_once photo unpack_photo
}
