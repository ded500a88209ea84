# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of dmacpy's command line for bash. Commands and options are what the
# tool's help has of them.

# _dmacpy_words PATTERN COMMAND...: all words in its output that match
_dmacpy_words()
{
	"${@:2}" 2>/dev/null | grep -oE -- "$1"
}

# _dmacpy_values OPTION: what it can be, one a line, or nothing if that is a number
_dmacpy_values()
{
	case $1 in
	-d | --device) compgen -G '/dev/dmacpy[0-9]*' ;;
	--op) printf '%s\n' copy 2d fill ;;
	--src | --dst) printf '%s\n' user sram udmabuf heap ;;
	--mode) printf '%s\n' sync event fence uring iopoll copier cpu copy alloc ;;
	esac
}

# _dmacpy_takes_value OPTION: is it followed by a value?
_dmacpy_takes_value()
{
	case $1 in
	-[dnops] | --device | --offset | --size | --pattern | --op | --src | \
	--dst | --mode | --depth | --batch | --threads | --streams | \
	--handles | --segments | --gap | --rows | --min-part | --iterations | \
	--time | --seconds | --delay)
		;;
	*) return 1 ;;
	esac
}

_dmacpy()
{
	local tool=$1 word=$2 before=$3 command='' words=() i
	for ((i = 1; i < COMP_CWORD; i++)); do
		if _dmacpy_takes_value "${COMP_WORDS[i]}"; then
			: $((i += 1))
		elif [[ ${COMP_WORDS[i]} != -* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done

	if _dmacpy_takes_value "$before"; then
		mapfile -t words < <(_dmacpy_values "$before")
	elif [[ $word = -* ]]; then
		mapfile -t words < <(_dmacpy_words '--[a-z-]+' "$tool" \
			${command:+"$command"} --help | sort -u)
	elif [[ -z $command || $command = help ]]; then
		mapfile -t words < <(_dmacpy_words '^  [a-z]+' "$tool" --help |
			tr -d ' ')
	elif [[ $command = test ]]; then
		mapfile -t words < <("$tool" test --help 2>/dev/null |
			sed -n '/^rows:/,$ s/^  //p')
	elif [[ $command = copy || $command = fill ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$word")
}

complete -F _dmacpy dmacpy
