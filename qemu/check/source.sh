# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks that build nothing: of the text of all files, whatever they are; and of C,
# its style, documentation and architecture.

text_files()
{
	tree_files ! -path './LICENSES/*' ! -name '*.png'
}

# Debian's formats have no place for a comment there.
without_comments=(debian/changelog debian/source/format
		  upstream/kernel/tools/testing/selftests/dmacpy/settings)

# pattern_in PATTERN FILE...: lines that match, as findings.
pattern_in()
{
	grep -nEH -e "$@" || [ $? -eq 1 ]
}

# Scripts with all that they source; then the sourced files for themselves, as
# far as variables and "set -e" that they get from the scripts allow.
check_shellcheck()
{
	local files
	mapfile -t files < <(tree_files -exec grep -Eq '^#!.*/(ba)?sh' {} \;)
	shellcheck --external-sources --source-path=SCRIPTDIR:. --format=gcc \
		"${files[@]}" || true
	mapfile -t files < <(tree_files -exec grep -q '^# shellcheck shell' {} \;)
	shellcheck --exclude=SC2034,SC2154,SC2164 --format=gcc "${files[@]}"
}

# has_udev_rule SUBSYSTEM NAME GROUP: one that gives this device to the group
has_udev_rule()
{
	local rule name
	while read -r rule; do
		name=$(sed -n 's/.*KERNEL=="\([^"]*\)".*/\1/p' <<<"$rule")
		# shellcheck disable=SC2053 # the name in a rule is a pattern
		[[ $2 = $name && $rule = *"GROUP=\"$3\", MODE=\"0660\""* ]] ||
			continue
		[[ $rule = *SUBSYSTEM==* && $rule != *"SUBSYSTEM==\"$1\""* ]] ||
			return 0
	done <userspace/udev/70-dmacpy.rules
	return 1
}

# The rules of udev match the names that the driver gives, and the group exists.
check_udev()
{
	local group device heap
	group=$(sed -n 's/^g \([^ ]*\) .*/\1/p' userspace/sysusers.d/*.conf)
	device=$(sed -n 's/.*(dev->name, .*"\(.*\)%d".*/\1/p' \
		driver/dmacpy_cdev.c)12
	heap=$(sed -n 's/.*info.name = .*"\(.*\)%s".*/\1/p' \
		driver/dmacpy_heap.c)fffc0000.sram
	has_udev_rule misc "$device" "$group" || echo "no rule for $device"
	has_udev_rule dma_heap "$heap" "$group" || echo "no rule for $heap"
}

check_codespell()
{
	local files
	mapfile -t files < <(text_files)
	# Nd and Fo are macros of man pages, iput() is a function, gud a driver,
	# inout a word of syzkaller.
	codespell --ignore-words-list=nd,fo,iput,gud,inout "${files[@]}"
}

check_white_space()
{
	local files file
	mapfile -t files < <(text_files)
	pattern_in '[[:space:]]+$' "${files[@]}"
	for file in "${files[@]}"; do
		[ -z "$(tail -c1 "$file")" ] ||
			echo "$file: no newline at the end"
	done
}

# lint_page FILE: mandoc also finds it bad when a page that this one refers to is
# not installed on the host.
lint_page()
{
	mandoc -Tlint -Wstyle "$1" 2>/dev/null |
		grep -v 'referenced manual not found' || true
}

# Each function of the library, and each command of the tool, has a man page, and all
# man pages are clean.
check_man()
{
	local name page
	make -s -C userspace O="$work" man
	while read -r name; do
		[ -s "$work/man/$name.3" ] || echo "$name has no man page"
	done < <(sed -n 's/^\t\(dmacpy_[a-z0-9_]*\);$/\1/p' \
			userspace/lib/libdmacpy.map)
	while read -r name; do
		[ -s "$work/man/dmacpy-$name.1" ] ||
			echo "dmacpy $name has no man page"
	done < <(sed -n 's/^\t{ "\([a-z]*\)", .*, cmd_[a-z]* },$/\1/p' \
			userspace/tools/main.c)
	for page in userspace/man/*.[1-9] "$work"/man/*.3; do
		grep -q '^\.so' "$page" || lint_page "$page"
	done
}

# The newest entries of the changelogs, and the packages of others, are for the
# version of the header.
check_version()
{
	local version file
	version=$(tree_version)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] ||
		echo "userspace/include/dmacpy.h: version \"$version\""
	[[ $(head -n 1 debian/changelog) = "dmacpy ($version) "* ]] ||
		echo "debian/changelog:1: not of version $version"
	[[ $(grep '^## \[[0-9]' CHANGELOG.md) = "## [$version] - "* ]] ||
		echo "CHANGELOG.md: the newest version is not $version"
	for file in packaging/yocto/dmacpy{,-module}_"$version".bb; do
		[ -f "$file" ] || echo "$file: missing, or of another version"
	done
	grep -qx "DMACPY_VERSION = $version" packaging/buildroot/dmacpy.mk ||
		echo "packaging/buildroot/dmacpy.mk: not of version $version"
	grep -Eqx "Version: +$version" packaging/rpm/dmacpy.spec ||
		echo "packaging/rpm/dmacpy.spec: not of version $version"
}

# licence_of FILE: what its SPDX line has to say.
licence_of()
{
	case $1 in
	userspace/lib/* | userspace/include/* | userspace/python/dmacpy/*)
		echo LGPL-2.1-or-later ;;
	uapi/*) echo GPL-2.0-only WITH Linux-syscall-note ;;
	Documentation/devicetree/bindings/*)
		echo '\(GPL-2.0-only OR BSD-2-Clause\)' ;;
	*) echo GPL-2.0-only ;;
	esac
}

check_licences()
{
	local file licence
	for file in $(text_files); do
		[[ " ${without_comments[*]} " != *" $file "* ]] || continue
		licence=$(licence_of "$file")
		head -n3 "$file" |
			grep -Eq "SPDX-License-Identifier: $licence( \*/| -->)?$" ||
			echo "$file:1: no SPDX line that says $licence"
	done
}

# Each file has a copyright, that of .reuse/dep5, and each licence has a text. A
# copy has nothing that was built.
check_reuse()
{
	local found
	copy_tree "$work/tree"
	found=$(reuse --root "$work/tree" lint 2>&1) || echo "$found"
}

# Brackets keep the patterns below from matching themselves.

check_unfinished()
{
	local files
	mapfile -t files < <(text_files)
	pattern_in '\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b|^#[i]f 0$' "${files[@]}"
}

# Where it was made must not show: packages come from the sources that the
# user's machine is set up with.
check_traces()
{
	local files
	mapfile -t files < <(text_files)
	pattern_in '\b([d]eb|[f]tp|[s]ecurity|[s]napshot)[a-z.]*\.debian\.org' \
		"${files[@]}"
	pattern_in '\b([p]ypi|[p]ythonhosted|[n]pmjs|[c]rates|[g]hcr)\.' \
		"${files[@]}"
	pattern_in '(^|[^[:alnum:]_.$}])/([w]ork|[r]oot|[h]ome)/' "${files[@]}"
}

# checkpatch_in DIRECTORY: all files in it, with its .checkpatch.conf. It leaves
# files behind where it runs.
checkpatch_in()
{
	local files
	cd "$1"
	mapfile -t files < <(find -L -- * -name '*.[ch]' -o -name Kbuild \
		-o -name Kconfig)
	"$(kernel_source_dir 6.12-arm64)/scripts/checkpatch.pl" --root=. --strict \
		--terse --show-types --no-summary \
		--typedefsfile <(echo "$checkpatch_types") -f "${files[@]}" |
		sed 's,^include/uapi/,uapi/,'
}

# The driver's part is shown as in a kernel tree: there are rules for
# include/uapi and for what has to be in a binding.
check_checkpatch()
{
	local bindings=Documentation/devicetree/bindings
	mkdir -p "$work"/{kernel,user}/include "$work/test" \
		"$work/kernel/$bindings"
	cp -r "$top/$bindings/misc" "$work/kernel/$bindings"
	ln -s "$(kernel_source_dir 6.12-arm64)/$bindings/vendor-prefixes.yaml" \
		"$work/kernel/$bindings"
	ln -s "$top/uapi" "$work/kernel/include"
	ln -s "$top"/{driver,Kconfig,.checkpatch.conf} "$work/kernel"
	ln -s "$top"/{kunit,kunit/.checkpatch.conf} \
		"$work/kernel/Documentation" "$work/test"
	ln -s "$top"/{userspace,userspace/.checkpatch.conf} "$work/user"
	(checkpatch_in "$work/kernel") || true
	(checkpatch_in "$work/test") || true
	(checkpatch_in "$work/user") || true
}

check_kernel_doc()
{
	"$(kernel_source_dir 6.12-arm64)/scripts/kernel-doc" -none -Wall -Werror \
		driver/*.[ch] kunit/*.[ch] uapi/linux/*.h \
		userspace/lib/*.[ch] userspace/include/*.h
}

# The blocks of code in the documents are valid.
check_snippets()
{
	python3 qemu/check/snippets.py "$work" cc -fsyntax-only -Wall -Wextra \
		-Werror -Wno-unused -D_GNU_SOURCE -Iuapi -Iuserspace/include \
		-- README.md Documentation/*.rst userspace/man/*.3
}

check_documented()
{
	local file
	python3 qemu/check/sources.py documented driver/*.c kunit/*.c
	while read -r file; do
		grep -q "/${file##*/}\$" Documentation/internals.rst ||
			echo "Documentation/internals.rst: no ${file##*/}"
	done < <(grep -l '^/\*\*' driver/*.[ch])
}

check_lengths()
{
	local files
	python3 qemu/check/sources.py lengths driver/*.c
	python3 qemu/check/sources.py lengths kunit/*.c
	mapfile -t files < <(tree_files -path './userspace/*.c')
	python3 qemu/check/sources.py lengths "${files[@]}"
}

# wall PATTERN FILE...: the pattern is in these files of the driver, or none.
wall()
{
	local pattern=$1 files
	shift
	mapfile -t files < <(printf 'driver/%s\n' "$@" |
		grep -vxFf - <(tree_files -path './driver/*.[ch]'))
	pattern_in "$pattern" "${files[@]}"
}

check_walls()
{
	wall '\<__user\>' dmacpy_ioctl.c dmacpy_ioctl.h dmacpy_uring.c \
		dmacpy_cdev.c
	wall '<linux/dmaengine\.h>' dmacpy_engine.c
	wall '\<dma_fence_signal' dmacpy_queue.c
	wall '<linux/genalloc\.h>' dmacpy_pool.c
	wall '\<(LINUX_VERSION_CODE|KERNEL_VERSION)\>' dmacpy_compat.h
	pattern_in '\<(LINUX_VERSION_CODE|KERNEL_VERSION)\>' kunit/*.[ch]
}

# syzkaller calls what the header says.
check_syzkaller()
{
	python3 qemu/check/agree.py syzkaller
}

# make series has a place for each file.
check_series()
{
	python3 upstream/series.py --check 2>&1
}

# The page on engines has what the kernel, the driver and the tests have.
check_engines()
{
	python3 qemu/check/agree.py engines "$(kernel_source_dir 6.12-arm64)"
}

# Data flows one way through the driver's files.
check_includes()
{
	python3 qemu/check/sources.py includes driver/*.[ch]
}
