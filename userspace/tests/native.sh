#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: native.sh DIRECTORY, where dmacpy was built
#
# Tests of the tool without a device: it reports output that it cannot print,
# and the help, the man page and the completions of both shells have the same
# commands and options. Prints errors.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
PATH=$1:$PATH
bash_file=$here/completions/dmacpy.bash
zsh_file=$here/completions/_dmacpy

# bash_words WORD...: print bash's completions of the last of them
bash_words()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c '. "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_dmacpy "$1" "${@: -1}" "${@: -2:1}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$bash_file" "$@" | sort | xargs
}

# zsh_words WORD...: print those of zsh, which itself selects matching ones
zsh_words()
{
	# shellcheck disable=SC2016
	zsh -f -c 'compadd() { [[ $1 != -- ]] || shift; print -l -- "$@" }
		_files() { print -l $PREFIX*(N) }
		_message() { : }
		file=$1; shift
		words=("$@") CURRENT=$# PREFIX=$@[-1]
		. $file' zsh "$zsh_file" "$@" | grep -- "^${*: -1}" | sort | xargs
}

# completed EXPECTED WORD...: check the completions of both shells
completed()
{
	local expected=$1 shell found
	shift
	for shell in bash zsh; do
		found=$("${shell}_words" "$@")
		[ "$found" = "$expected" ] ||
			echo "$shell completes \"$*\" to \"$found\"," \
			     "not \"$expected\""
	done
}

# Catches: a command or an option that is not completed, an option's value that
# is mistaken for the command, a file where none is allowed.
completions()
{
	local all='bench copy doctor fill help info list test top tune'
	completed "$all" dmacpy ''
	completed "$all" dmacpy help ''
	completed "$all" dmacpy -d 1 ''
	completed 'copy' dmacpy c
	completed '--device --help --version' dmacpy --
	completed '--help --json' dmacpy list -
	completed '--device --help --offset --size --via-sram' dmacpy copy --
	completed '--device --help --json' dmacpy -d 1 info --
	completed '--segments --size --src --streams' dmacpy bench --s
	completed '--device --help --json --tap' dmacpy test --
	completed '--delay --device --help --iterations --json --once' \
		dmacpy top --
	completed '--cold --device --dst --help --json --seconds --src' dmacpy tune --
	completed '' dmacpy top -n ''
	completed '' dmacpy doctor ''
	completed 'wait' dmacpy test w
	completed 'order' dmacpy -d 1 test event o
	completed 'alloc copier copy cpu event fence iopoll sync uring' \
		dmacpy bench --mode ''
	completed 'sram' dmacpy bench --depth 2 --src s
	completed 'udmabuf user' dmacpy bench --dst u
	completed '2d copy fill' dmacpy bench --op ''
	completed '' dmacpy bench --depth ''
	completed '' dmacpy list ''
	completed '' dmacpy nonsense ''
	completed 'Makefile' dmacpy copy --via-sram Make
}

# help_of COMMAND: print its options, one per line, with their values
help_of()
{
	dmacpy "$1" --help | grep -oE '^ .*--[a-z-]+ [A-Z]*'
}

# Catches: an option that the man page lacks, or that a shell completes without
# its value, or with a value that it does not have.
options()
{
	local command option value found
	for command in $(dmacpy --help | grep -oE '^  [a-z]+'); do
		grep -qx "\\.Ss $command" "$here/man/dmacpy.1" ||
			echo "the man page lacks $command"
		while read -r option value; do
			grep -qE "Fl -?-?${option#--}( |\$)" \
				"$here/man/dmacpy.1" ||
				echo "the man page lacks $option of $command"
			bash -c ". $bash_file; _dmacpy_takes_value $option" &&
				found=yes || found=
			[ "${value:+yes}" = "$found" ] ||
				echo "bash: does $option of $command take a" \
				     "value?"
		done < <(help_of "$command" | sed 's/^.*  *--/--/')
	done
}

# refused FILE: check that the tool reports that it cannot print to it
refused()
{
	local command
	for command in --help --version help 'help copy' 'bench --help' \
		       'list --json'; do
		# shellcheck disable=SC2086
		dmacpy $command >"$1" 2>"$errors" &&
			echo "dmacpy $command >$1 succeeds"
		grep -q '^dmacpy: standard output: ' "$errors" ||
			echo "dmacpy $command >$1: no message"
	done
}

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
cd "$here" || exit
completions
options
refused /dev/full
