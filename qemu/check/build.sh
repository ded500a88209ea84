# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks that build something and read what the compilers say: the status of a
# kernel build stays 0 when sparse has warnings.

# warnings_of COMMAND...: all that it says if it fails.
warnings_of()
{
	if "$@" >"$work/log" 2>&1; then
		sort -u "$work/log" | awk 'tolower($0) ~ /warning|error/'
	else
		echo "failed: $*"
		cat "$work/log"
	fi
}

check_sparse()
{
	local args
	read -ra args < <(kernel_make_args 6.12-arm64)
	warnings_of make -s modules "${args[@]}" MODULES_OUT="$work/module" \
		KDIR="$(kernel_build_dir 6.12-arm64)" C=2 W=1
	cp -r kunit driver/dmacpy_compat.h "$work"
	warnings_of make -s -C "$(kernel_build_dir 6.12-arm64)" "${args[@]}" \
		M="$work/kunit" C=2 W=1 modules
}

# build_in_kernel_tree y|m OUTPUT OPTION...: with its unit tests. The driver's
# objects are always new, or warnings would be seen only once.
build_in_kernel_tree()
{
	local tree=$1-arm64 objects
	objects=$(kernel_build_dir "$tree")
	rm -rf "$objects/drivers/misc/dmacpy"
	printf '%s\n' CONFIG_OF=y CONFIG_MODULES=y CONFIG_DMADEVICES=y \
		"CONFIG_KUNIT=$1" "CONFIG_DMACPY=$1" \
		CONFIG_DMACPY_KUNIT_TEST=y "${@:3}" >"$work/$1.config"
	warnings_of configure_kernel "$tree" <"$work/$1.config"
	# The vDSO is built each time, and has a warning of its own.
	warnings_of make_in_kernel_tree "$tree" C=1 W=1 drivers/misc/dmacpy/ |
		sed '/kernel\/vdso/d'
	grep -q dmacpy_drv "$objects/drivers/misc/dmacpy/$2" ||
		echo "CONFIG_DMACPY=$1 did not put the driver into $2"
}

# Other checks and the tests build for kernels that have what these lack.
check_in_tree()
{
	place_in_kernel_tree
	build_in_kernel_tree y built-in.a CONFIG_DMABUF_HEAPS=y \
		CONFIG_DMACPY_HEAP=y CONFIG_EXPERT=y CONFIG_IO_URING=y \
		'# CONFIG_BLOCK is not set' '# CONFIG_NET is not set'
	build_in_kernel_tree m dmacpy.o CONFIG_EXPERT=y \
		'# CONFIG_IO_URING is not set' '# CONFIG_NET is not set'
}

check_symbols()
{
	warnings_of make -s -C userspace O="$work" WERROR=1 check-symbols
}

# The library does not differ from its stored ABI; for the types to be the same on
# each host, that is of arm64.
check_abi()
{
	local args=(-s -C userspace "O=$work"
		    CROSS_COMPILE=aarch64-linux-gnu- check-abi)
	make "${args[@]}" >"$work/log" 2>&1 && return
	cat "$work/log"
	echo 'if only functions were added: make abi (see library.rst)'
}

# What the tool does without a device; its help, man page and completions.
check_tool()
{
	warnings_of make -s -C userspace O="$work/native" WERROR=1 "$work/native/dmacpy"
	userspace/tests/native.sh "$work/native"
}

# Sphinx takes all pages, with the kernel-doc in them, without a warning.
check_html()
{
	make -s -C Documentation O="$work" \
		KERNEL_DOC="$(kernel_source_dir 6.12-arm64)/scripts/kernel-doc"
}

# The version of the header, which is the only one.
tree_version()
{
	make -s -C userspace version
}

# dkms_package_is_whole RPM: it has sources where dkms.conf expects a module
dkms_package_is_whole()
{
	local directory files
	files=$(rpm --query --list --package "$1")
	while read -r directory; do
		grep -q "/$directory/[^/]*\.c\$" <<<"$files" ||
			echo "packaging/rpm/dmacpy.spec: no source in $directory"
	done < <(sed -n 's/^BUILT_MODULE_LOCATION.*="\(.*\)"/\1/p' \
		debian/dmacpy-dkms.dkms | sort -u)
}

# The packages of the spec are built, with all files that are installed.
check_rpm()
{
	local name
	name=dmacpy-$(tree_version)
	mkdir "$work/$name"
	copy_tree "$work/$name"
	tar -C "$work" -czf "$work/$name.tar.gz" "$name"
	rpmbuild -bb --nodeps --define "_topdir $work/rpm" \
		--define "_sourcedir $work" packaging/rpm/dmacpy.spec \
		>"$work/log" 2>&1 || cat "$work/log"
	dkms_package_is_whole "$work/rpm"/RPMS/noarch/dmacpy-dkms-*.rpm
}

# Nothing here runs BitBake or Buildroot: only what they refer to is compared.
check_recipes()
{
	local file sum
	sed -n 's|.*file://\(.*\);md5=\([0-9a-f]*\).*|\1 \2|p' \
		packaging/yocto/dmacpy.inc >"$work/sums"
	[ -s "$work/sums" ] || echo "packaging/yocto/dmacpy.inc: no licences"
	while read -r file sum; do
		echo "$sum  $file" | md5sum --check --quiet 2>&1 || true
	done <"$work/sums"
}

check_device_tree()
{
	local file
	for file in $(tree_files \( -name '*.dts' -o -name '*.dtso' \)); do
		preprocess_dts "$file" |
			dtc -@ -i qemu/boards "${dtc_flags[@]}" -I dts -O dtb \
				-o /dev/null -
	done
}

# dt-validate stops when no schema has a pattern.
stub_schema()
{
	cat <<-'EOT'
		%YAML 1.2
		---
		$id: http://devicetree.org/schemas/stub.yaml#
		$schema: http://devicetree.org/meta-schemas/base.yaml#

		title: Pattern of node names

		maintainers:
		  - Nobody <nobody@example.org>

		select: false

		patternProperties:
		  '^[a-z][a-z0-9\-]*$':
		    type: object

		additionalProperties: true
		...
	EOT
}

# The binding keeps to the rules for bindings; its examples, and the device trees
# of the boards, keep to it. dt-validate passes over what is below "__overlay__".
check_binding()
{
	local bindings=$top/Documentation/devicetree/bindings file dts
	file=$bindings/misc/linux,sram-dmacpy.yaml
	dt-doc-validate -u "$bindings" "$file"
	dt-extract-example "$file" >"$work/example.dts"
	dtc -q -O dtb -o "$work/example.dtb" "$work/example.dts"
	stub_schema >"$work/stub.yaml"
	dt-mk-schema -j "$file" "$work/stub.yaml" >"$work/schema.json"
	for dts in qemu/boards/*.dts{,o} Documentation/devicetree/*.dts; do
		preprocess_dts "$dts" | dtc -q -@ -i qemu/boards -O dts - |
			sed 's/__overlay__/overlay/' |
			dtc -q -O dtb -o "$work/$(basename "$dts").dtb" -
	done
	for file in "$work"/*.dtb; do
		dt-validate -l dmacpy -s "$work/schema.json" "$file"
	done
}
