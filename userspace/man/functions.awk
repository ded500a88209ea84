# SPDX-License-Identifier: GPL-2.0-only
#
# The man pages of the library's functions, from the comments in its header: one
# for each object, dmacpy_OBJECT.3, and one for each function that refers to it.
#
# usage: awk -v out=DIRECTORY -v date=DATE -f functions.awk dmacpy.h, where DATE is
# that of an entry in debian/changelog

BEGIN {
	about["device"] = "find, open and query devices"
	about["stream"] = "open streams, copy, and wait for jobs"
	about["fence"] = "wait for fences"
	about["buffer"] = "buffers that an engine reaches"
	about["job"] = "several copies and fills in one call"
	about["prepared"] = "jobs that are checked once and run many times"
	about["copier"] = "copy on all channels of a device"
	about["version"] = "the version of the library"
	months = "JanFebMarAprMayJunJulAugSepOctNovDec"
	split("January February March April May June July August September " \
	      "October November December", month, " ")
}

/^\/\*\*$/ {
	in_comment = 1
	first_line = 1
	name = purpose = body = returns = arguments = ""
	next
}

in_comment && /^ \*\/$/ {
	in_comment = 0
	end_argument()
	next
}

in_comment { take_comment(substr($0, 4)); next }

# What the comment before it describes: a structure, or a function.
name ~ /^(struct|enum) / {
	declaration = declaration $0 "\n"
	if (/^};/)
		end_structure()
	next
}

name != "" {
	declaration = declaration " " $0
	if (/;$/)
		end_function()
}

# take_comment(line): what follows the star
function take_comment(line)
{
	if (first_line) {
		first_line = 0
		take_title(line)
	} else if (line ~ /^@[A-Za-z_]+: /) {
		end_argument()
		argument = substr(line, 2, index(line, ":") - 2)
		text = substr(line, index(line, ":") + 2)
		into = "argument"
	} else if (line ~ /^Return: /) {
		returns = substr(line, 9)
		into = "returns"
	} else if (into == "argument" && line != "") {
		text = text " " line
	} else if (into == "returns") {
		returns = returns " " line
	} else {
		end_argument()
		into = "body"
		body = body (line == "" ? "\n" : " " line)
	}
}

# take_title(line): a name and a purpose, or DOC: and a title. A structure is on
# the page of the functions before it.
function take_title(line)
{
	declaration = argument = ""
	into = "body"
	if (!match(line, /(\(\))? - /))
		return
	name = substr(line, 1, RSTART - 1)
	purpose = substr(line, RSTART + RLENGTH)
	if (name !~ /^(struct|enum) /)
		object = object_of(name)
}

function end_argument()
{
	if (argument != "")
		arguments = arguments ".It Fa " argument "\n" mdoc(text)
	argument = ""
}

function end_structure()
{
	synopsis[object] = synopsis[object] ".Bd -literal\n" declaration \
			   ".Ed\n.Pp\n"
	describe()
}

function end_function(	before, parameters, count, i)
{
	sub(/^ */, "", declaration)
	before = declaration
	sub(name "\\(.*", "", before)
	sub(/ $/, "", before)
	sub(/^[^(]*\(/, "", declaration)
	sub(/\);$/, "", declaration)
	count = split(declaration, parameters, /, */)
	if (!(object in names))
		objects[++object_count] = object
	names[object] = names[object] " " name
	synopsis[object] = synopsis[object] ".Ft \"" before "\"\n.Fo " name "\n"
	for (i = 1; i <= count; i++) {
		gsub(/[ \t]+/, " ", parameters[i])
		sub(/^ /, "", parameters[i])
		synopsis[object] = synopsis[object] \
			".Fa \"" parameters[i] "\"\n"
	}
	synopsis[object] = synopsis[object] ".Fc\n"
	if (returns != "")
		values[object] = values[object] ".It Fn " name "\n" \
				 mdoc(capital(returns))
	describe()
}

# object_of(name): of a function, the second word
function object_of(name,	words)
{
	split(name, words, "_")
	return words[2]
}

# capital(text): starts with one, unless it starts with a name
function capital(text)
{
	if (text ~ /^[a-z0-9_]+\(/)
		return text
	return toupper(substr(text, 1, 1)) substr(text, 2)
}

# Adds the comment to the page of the object.
function describe(	paragraphs, count, i, page)
{
	page = ".Ss " name "\n" \
	       mdoc(capital(purpose) ".")
	if (arguments != "")
		page = page ".Bl -tag -width Ds\n" arguments ".El\n"
	count = split(body, paragraphs, /\n+/)
	for (i = 1; i <= count; i++)
		if (paragraphs[i] ~ /[^ ]/)
			page = page ".Pp\n" mdoc(paragraphs[i])
	description[object] = description[object] page
	name = ""
}

# mdoc(text): a sentence or a macro on each line
function mdoc(text,	words, count, i, word, macro, line, lines, sentence_ends)
{
	count = split(text, words, " ")
	for (i = 1; i <= count; i++) {
		word = words[i]
		if (word == "struct" && i < count)
			word = word " " words[++i]
		macro = macro_of(word)
		gsub(/@/, "", word)
		if (line != "" && (macro != "" || sentence_ends ||
				   length(line " " word) > 80)) {
			lines = lines line "\n"
			line = ""
		}
		if (macro != "")
			lines = lines macro "\n"
		else
			line = line (line == "" ? "" : " ") word
		sentence_ends = word ~ /[.!?]\)?$/
	}
	return lines (line == "" ? "" : line "\n")
}

# macro_of(word): with what is before and after it as arguments of their own, or
# nothing if it is an ordinary word
function macro_of(word,	before, after, length_left)
{
	if (word ~ /^\(/) {
		before = "( "
		word = substr(word, 2)
	}
	while (word ~ /[.,;:]$/ || word ~ /[^(]\)$/ && word !~ /\([0-9]\)$/ ||
	       word ~ /\)\)$/) {
		length_left = length(word) - 1
		after = " " substr(word, length_left + 1) after
		word = substr(word, 1, length_left)
	}
	if (word ~ /^@[a-z_]+$/)
		return ".Fa " before substr(word, 2) after
	if (word ~ /^-E[A-Z0-9]+$/)
		return ".Er " before "\\" word after
	if (word ~ /^(NULL|[A-Z]+_[A-Z_]+\*?)$/)
		return ".Dv " before word after
	if (word ~ /^<.*>$/)
		return ".In " before substr(word, 2, length(word) - 2) after
	if (word ~ /^struct /)
		return ".Vt " before word after
	if (word ~ /^[a-z0-9_]+\([0-9]\)$/)
		return ".Xr " before reference(word) after
	if (word ~ /^[a-z0-9_]+\(\)$/)
		return function_macro(substr(word, 1, length(word) - 2),
				      before, after)
	return ""
}

# function_macro(name, before, after): one of another page has its section
function function_macro(name, before, after)
{
	if (name ~ /^dmacpy_/ && object_of(name) == object)
		return ".Fn " before name after
	return ".Xr " before name (name == "poll" ? " 2" : " 3") after
}

# reference(open(2)): open 2
function reference(word)
{
	gsub(/[()]/, " ", word)
	sub(/ $/, "", word)
	return word
}

# mdoc_date(Sun, 29 Nov 2026 12:00:00 +0000): November 29, 2026
function mdoc_date(	words)
{
	split(date, words, " ")
	return month[(index(months, words[3]) + 2) / 3] " " (words[2] + 0) ", " \
	       words[4]
}

# write_page(object): and a reference to it for each of its functions
function write_page(object,	page, list, count, i)
{
	page = out "/dmacpy_" object ".3"
	print ".\\\" SPDX-License-Identifier: LGPL-2.1-or-later" >page
	print ".\\\" Made from dmacpy.h: write what is to change there." >page
	print ".Dd " mdoc_date() "\n.Dt DMACPY_" toupper(object) " 3\n.Os" >page
	print ".Sh NAME" >page
	count = split(names[object], list, " ")
	for (i = 1; i <= count; i++) {
		print ".Nm " list[i] (i < count ? " ," : "") >page
		if (list[i] == "dmacpy_" object)
			continue
		print ".so man3/dmacpy_" object ".3" >(out "/" list[i] ".3")
		close(out "/" list[i] ".3")
	}
	print ".Nd " about[object] >page
	print ".Sh LIBRARY\nlibdmacpy (libdmacpy, \\-ldmacpy)" >page
	print ".Sh SYNOPSIS\n.In dmacpy.h" >page
	printf "%s.Sh DESCRIPTION\n%s", synopsis[object],
	       description[object] >page
	if (values[object] != "")
		printf ".Sh RETURN VALUES\n.Bl -tag -width Ds\n%s.El\n",
		       values[object] >page
	print ".Sh SEE ALSO\n.Xr libdmacpy 3" >page
	close(page)
}

END {
	for (i = 1; i <= object_count; i++) {
		if (!(objects[i] in about)) {
			print FILENAME ": no page for dmacpy_" objects[i] \
			      >"/dev/stderr"
			exit 1
		}
		write_page(objects[i])
	}
}
