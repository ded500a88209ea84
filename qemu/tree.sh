# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The files of the tree in the current directory.

# tree_files [find expression]: without what builds and checkpatch leave.
tree_files()
{
	find . \( -name .git -o -path ./build -o -name '.checkpatch-*' \) \
		-prune -o -type f "$@" -print |
		sed 's,^\./,,' | sort
}

# copy_tree TO: what is in the tree, not what was built from it.
copy_tree()
{
	rm -rf "$1"
	mkdir -p "$1"
	tree_files -true | tar -cf - -T - | tar -xf - -C "$1"
}
