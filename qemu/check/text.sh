# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks of the text of all files, whatever they are.

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

# Each function of the library has a man page, and all man pages are clean.
check_man()
{
	local name page
	make -s -C userspace O="$work" man
	while read -r name; do
		[ -s "$work/man/$name.3" ] || echo "$name has no man page"
	done < <(sed -n 's/^\t\(dmacpy_[a-z0-9_]*\);$/\1/p' \
			userspace/lib/libdmacpy.map)
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
