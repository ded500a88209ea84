# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's Python for the guest, and the package dmacpy for that.

unpack_python()
{
	unpack_with_depends "$(arch_release "$1")" "$1" "$2" \
		python3-minimal libpython3-stdlib
}

# python_name ARCH: of its directory in the cache
python_name()
{
	echo "python-$1-$(arch_release "$1")"
}

fetch_python()
{
	fetch_once "$(python_name "$1")" unpack_python "$1"
}

# install_python DIRECTORY: for the guest that is selected, without what no test
# needs
install_python()
{
	local python file name to=$1
	python=$cache/$(python_name "$guest_arch")
	mkdir -p "$to"/{lib,tmp,usr/bin,usr/lib/python3/dist-packages}
	cp "$python"/usr/bin/python3.*[0-9] "$to/usr/bin/python3"
	cp -r "$python"/usr/lib/python3.*[0-9] "$to/usr/lib"
	(
		cd "$to"/usr/lib/python3.*[0-9] || exit
		rm -rf config-* distutils ensurepip idlelib lib2to3 pydoc* \
			sqlite3 test tkinter turtle* xml*
	)
	for file in "$to/usr/bin/python3" "$to"/usr/lib/python3.*/lib-dynload/*; do
		for name in $(needed_files "$file"); do
			[ -e "$to/lib/$name" ] ||
				cp -L "$(find "$python" -path '*/lib/*' \
					-name "$name" -print -quit)" "$to/lib"
		done
	done
	cp -L "$guest_userspace/libdmacpy.so.0" "$to/lib"
	cp -r "$top/userspace/python/dmacpy" \
		"$to/usr/lib/python3/dist-packages"
	cp "$top/userspace/python/tests/test_dmacpy.py" \
		"$top/userspace/examples/hello.py" "$to/tmp"
}
