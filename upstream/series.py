#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""dmacpy as patches for a kernel.

usage: series.py KERNEL UNIFDEF OUT
       series.py --check

KERNEL is a kernel's source, of which only the version and the files that get hooks
are read; UNIFDEF is the program that its scripts/unifdef.c makes. Writes the
patches that the file "patches" describes to OUT, to be applied by git am, and
beside each, in NAME.rules, the options for checkpatch. --check needs no kernel: it
prints which files are in no patch.
"""
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
DRIVER = "drivers/misc/dmacpy/"
SELFTESTS = "tools/testing/selftests/dmacpy/"
PAGES = "Documentation/misc-devices/dmacpy/"
BINDING = "Documentation/devicetree/bindings/misc/linux,sram-dmacpy.yaml"
UAPI = "include/uapi/linux/dmacpy.h"


def text_of(path):
    """What is in a file."""
    return Path(path).read_text(encoding="utf-8")


def replaced(text, pattern, replacement):
    """With the first match replaced, of which there must be one."""
    result, count = re.subn(pattern, replacement, text, count=1, flags=re.M)
    if not count:
        sys.exit(f"error: the kernel has no place for {replacement!r}")
    return result


# The files of the tree, as they are in a kernel

def resolved(text, version, unifdef):
    """C for one kernel only, and not for building out of the tree."""
    if not version:
        return text
    text = re.sub(r"KERNEL_VERSION\((\d+), (\d+), (\d+)\)",
                  lambda match: str(code_of(match.groups())), text)
    # unifdef leaves alone what is on two lines.
    text = re.sub(r"^(#if .*) \\\n\s*", r"\1 ", text, flags=re.M)
    done = subprocess.run([unifdef, "-B", "-UDMACPY_VERSION",
                           f"-DLINUX_VERSION_CODE={code_of(version)}"],
                          input=text, capture_output=True, text=True,
                          check=False)
    if done.returncode > 1:
        sys.exit(f"error: unifdef: {done.stderr}")
    text = done.stdout.replace("#include <linux/version.h>\n", "")
    text = text.replace("The differences between the kernels that the module "
                        "is built for. It is the\n * only file of the tree "
                        "that checks versions.",
                        "What the driver and its tests have in common, beside "
                        "their structures.")
    if version < (6, 13, 0):
        namespace = r"MODULE_IMPORT_NS(\1)"
    else:
        namespace = r'MODULE_IMPORT_NS("\1")'
    text = re.sub(r"^DMACPY_IMPORT_NS\((\w+)\)", namespace, text, flags=re.M)
    text = re.sub(r"^/\* (The member of struct platform_driver|The name of "
                  r"the namespace).*\n#define DMACPY_.*\n\n", "", text,
                  flags=re.M)
    text = text.replace(".DMACPY_REMOVE", ".remove")
    return with_typed_allocations(text) if version >= (7, 0, 0) else text


def with_typed_allocations(text):
    """kzalloc_obj(*p, flags) for kzalloc(sizeof(*p), flags)."""
    def typed(match):
        function, what, rest = match.groups()
        return f"{function}_obj({what}, " + re.sub(
            r"\n[\t ]+", lambda space: "\n" + indented(
                len(space[0].expandtabs()) - 1 + len("_obj")), rest)
    return re.sub(r"\b(kv?[mz]alloc)\(sizeof\((\*\w+|struct \w+)\), ([^;]*;)",
                  typed, text)


def indented(columns):
    """White space of so many columns, as the kernel has it."""
    return "\t" * (columns // 8) + " " * (columns % 8)


def code_of(version):
    """LINUX_VERSION_CODE of three numbers, also as strings."""
    major, minor, patch = map(int, version)
    return (major << 16) + (minor << 8) + min(patch, 255)


def page(text, pages):
    """A page with references to those pages only, and paths of a kernel."""
    def reference(match):
        return match[0] if match[1] in pages else f"``{match[1]}.rst``"
    text = re.sub(r":doc:`(\w[\w-]*)`", reference, text)
    text = re.sub(r"^Paths are those in a kernel tree: .*?here\. ", "", text,
                  flags=re.M | re.S)
    text = text.replace("``driver/``, which is ``drivers/misc/dmacpy/`` in a "
                        "kernel\ntree.", "``drivers/misc/dmacpy/``.")
    text = text.replace("``driver/``", "``drivers/misc/dmacpy/``")
    return re.sub(r"(\.\./)?userspace/examples/", "", text)


def test_sources(names):
    """The files of these tests, and what they include."""
    tests = TOP / "userspace/tests"
    names = [*names, "common", "engine", "inject", "instance"]
    for name in names:
        for path in (tests / f"{name}.c", tests / f"{name}.h"):
            if path.exists():
                yield path


def kernel_files(version, unifdef):
    """A dictionary of paths in a kernel to texts: all that has no hook."""
    files = {BINDING: text_of(TOP / BINDING),
             UAPI: text_of(TOP / "uapi/linux/dmacpy.h")}
    for folder, place in (("driver", DRIVER), ("kunit", DRIVER + "kunit/")):
        for path in (TOP / folder).glob("*.[ch]"):
            files[place + path.name] = resolved(text_of(path), version,
                                                unifdef)
    # Benchmarks, which are of no use to others
    for name in ("dmacpy_floor.c", "zynqmp_dma_late.c"):
        files.pop(DRIVER + "kunit/" + name, None)
    own = TOP / "upstream/kernel"
    for path in own.rglob("*"):
        if path.is_file():
            files[str(path.relative_to(own))] = text_of(path)

    tests = re.search(r"^TESTS := ((?:.*\\\n)*.*)",
                      text_of(TOP / "userspace/tests/tests.mk"), re.M)[1]
    tests = tests.replace("\\\n", " ").split()
    for path in test_sources(tests):
        files[SELFTESTS + path.name] = text_of(path)
    for folder in ("lib", "include"):
        for path in (TOP / "userspace" / folder).glob("*.[ch]"):
            files[f"{SELFTESTS}{folder}/{path.name}"] = text_of(path)
    files[SELFTESTS + "Makefile"] = files[SELFTESTS + "Makefile"].replace(
        "@TESTS@", wrapped("TEST_GEN_PROGS := ", sorted(tests)))

    index = files[PAGES + "index.rst"]
    pages = index[index.index("toctree"):].split()[3:]
    for name in pages:
        files[f"{PAGES}{name}.rst"] = page(
            text_of(TOP / f"Documentation/{name}.rst"), pages)
    files[PAGES + "ioctls.c"] = text_of(TOP / "userspace/examples/ioctls.c")
    return files


def wrapped(start, words):
    """The words, as they follow the start of a line in a Makefile."""
    if len(start) > 24 and len(words) > 1:
        return "\\\n\t" + wrapped("\t".expandtabs(), words)
    indent = indented(len(start))
    lines = textwrap.wrap(" ".join(words), 77 - len(start),
                          break_on_hyphens=False)
    return f" \\\n{indent}".join(lines)


# What grows from patch to patch

def makefile(objects):
    """driver/Kbuild with those of its objects that there are."""
    text = text_of(TOP / "driver/Kbuild")
    text = re.sub(r"^ifdef KBUILD_EXTMOD\n(.*\n)*?endif\n", "", text,
                  flags=re.M)
    parts = ["# SPDX-License-Identifier: GPL-2.0-only\n"
             "obj-$(CONFIG_DMACPY) += dmacpy.o\n"]
    statement = re.compile(r"^(dmacpy-\S+ \+?:?=)((?: .*\\\n|\t.*\\\n)*.*\n)",
                           re.M)
    for start, rest in statement.findall(text):
        folder = "kunit/" if "addprefix" in rest else ""
        listed = [name for name in re.findall(r"(dmacpy_\w+)\.o", rest)
                  if folder + name in objects]
        if listed:
            names = [f"{folder}{name}.o" for name in listed]
            parts.append(f"{start} {wrapped(start + ' ', names)}\n")
    for comment, needed in (("A device without", "kunit/dmacpy_sim"),
                            ("Its header", "dmacpy_trace"),
                            ("What is in kunit", "kunit/dmacpy_job_test")):
        if needed in objects:
            parts.append(re.search(rf"\n# {comment}.*\n.*\n", text)[0])
    return "".join(parts)


def kconfig(options):
    """Those of the options that there are."""
    text = text_of(TOP / "Kconfig")
    blocks = re.findall(r"^config \w+\n(?:(?:\t.*)?\n)*", text, re.M)
    chosen = [block.strip("\n") for block in blocks
              if block.split()[1] in options]
    return ("# SPDX-License-Identifier: GPL-2.0-only\n" +
            "\n\n".join(chosen) + "\n")


def maintainers_entry():
    """In the format of the kernel's file, with the paths of a kernel."""
    own = text_of(TOP / "MAINTAINERS")
    return ("DMACPY: ON-CHIP SRAM AS DMA-BUFS, AND COPIES BY A DMA ENGINE\n" +
            re.search(r"^M:.*\n", own, re.M)[0] + "S:\tMaintained\n" +
            "".join(f"F:\t{path}\n" for path in
                    (BINDING, PAGES, DRIVER, UAPI, SELFTESTS)))


def hook_maintainers(text):
    """The entries are in order of their names."""
    entry = maintainers_entry()
    for match in re.finditer(r"\n\n(?=(D[^\n]+)\n[A-Z]:\t)", text):
        if match[1] > entry:
            return text[:match.end()] + entry + "\n" + text[match.end():]
    return sys.exit("error: no place in MAINTAINERS")


HOOKS = {
    "MAINTAINERS": hook_maintainers,
    "Documentation/userspace-api/ioctl/ioctl-number.rst":
        lambda text: hook_ioctl_number(text),
    "drivers/misc/Kconfig":
        lambda text: replaced(text, r"^endmenu$",
                              'source "drivers/misc/dmacpy/Kconfig"\nendmenu'),
    "drivers/misc/Makefile":
        lambda text: text + "obj-$(CONFIG_DMACPY)\t\t+= dmacpy/\n",
    "Documentation/misc-devices/index.rst":
        lambda text: replaced(text, r"^   (?=d[n-z]|[e-z])",
                              "   dmacpy/index\n   "),
    "tools/testing/selftests/Makefile":
        lambda text: replaced(text, r"^TARGETS \+= (?=d[n-z]|[e-z])",
                              "TARGETS += dmacpy\nTARGETS += "),
}


def hook_ioctl_number(text):
    """A row of a table, in order of the numbers."""
    header = text_of(TOP / "uapi/linux/dmacpy.h")
    number = int(re.search(r"DMACPY_TYPE\s+(0x\w+)", header)[1], 16)
    commands = len(re.findall(r"^\tDMACPY_CMD_\w+", header, re.M))
    last = max(int(found, 16) for found in
               re.findall(r"^ *(?:'.'|0x([0-9A-F]{2})) ", text, re.M)
               if found and int(found, 16) <= number)
    rows = list(re.finditer(rf"^0x{last:02X}  .*\n(?: {{20,}}.*\n)*", text,
                            re.M))
    before = rows[-1][0]
    name, comment = "linux/dmacpy.h", "dmacpy"
    column = re.match(r"0x\w\w +\S+ +", before).end()
    path_width = len(re.match(r"0x\w\w +\S+ +(\S+ *)", before)[1])
    row = (f"0x{number:02X}  00-{commands - 1:02X}".ljust(column) +
           name.ljust(max(path_width, len(name) + 1)) + comment).rstrip()
    place = rows[-1].end()
    return text[:place] + row + "\n" + text[place:]


# The patches

def filled(paragraph):
    """As wide as a log may be, unless it is one of code."""
    return (paragraph if paragraph.startswith(" ") else
            textwrap.fill(paragraph, 72, break_on_hyphens=False))


class Patch:
    """One entry of the file "patches"."""

    def __init__(self, subject, body):
        self.subject = subject
        self.words = {}
        lines = body.strip("\n").split("\n")
        while lines and re.match(r"(object|file|hook|option|rules|ignore) ",
                                 lines[-1]):
            word, *names = lines.pop().split()
            self.words.setdefault(word, []).extend(names)
        self.body = "\n\n".join(map(filled, "\n".join(lines).strip("\n")
                                    .split("\n\n")))

    def named(self, word):
        """What the patch adds of this kind."""
        return self.words.get(word, [])

    def checkpatch_options(self):
        """Of its rules; MAINTAINERS names the directories from the start."""
        rules = [TOP / folder / ".checkpatch.conf"
                 for folder in self.named("rules") or ["."]]
        options = ["--ignore", "FILE_PATH_CHANGES"]
        for path in rules:
            for line in text_of(path).splitlines():
                if line.startswith("--"):
                    options += line.split()
        for name in self.named("ignore"):
            options += ["--ignore", name]
        return options


def read_patches():
    """All entries, the cover letter first."""
    text = re.sub(r"\A(#.*\n)+", "", text_of(TOP / "upstream/patches"))
    parts = re.split(r"^\[\d+\] (.*)\n", text, flags=re.M)
    return [Patch(subject, body)
            for subject, body in zip(parts[1::2], parts[2::2])]


def headers_of(path, files):
    """The driver's headers that a file includes, directly or not."""
    found, todo = set(), [path]
    while todo:
        for name in re.findall(r'^#include "(\w+\.h)"', files[todo.pop()],
                               re.M):
            for place in (DRIVER, DRIVER + "kunit/"):
                header = place + name
                if header in files and header not in found:
                    found.add(header)
                    todo.append(header)
    return found


def chosen(patterns, paths):
    """The paths that match, each pattern at least one."""
    result = []
    for pattern in patterns:
        found = sorted(path for path in paths if
                       fnmatch.fnmatch(path, pattern.replace("**", "*")))
        if not found:
            sys.exit(f"error: upstream/patches: there is no {pattern}")
        result += found
    return result


class Contents:
    """What the patches have added so far."""

    def __init__(self, files):
        self.files = files
        self.objects, self.options, self.left = [], [], set(files)

    def paths_of(self, patch):
        """The files that a patch wants, also those that others have added."""
        sources = [path[len(DRIVER):-2] for path in self.files
                   if path.startswith(DRIVER) and path.endswith(".c")]
        names = chosen(patch.named("object"), sources)
        self.objects += names
        for source in (f"{DRIVER}{name}.c" for name in names):
            yield source
            yield from headers_of(source, self.files)
        yield from chosen(patch.named("file"), self.files)

    def add(self, patch):
        """What the patch adds: a dictionary of paths to texts."""
        new = {path: self.files[path] for path in self.paths_of(patch)
               if path in self.left}
        self.left -= new.keys()
        self.options += patch.named("option")
        if patch.named("object"):
            new[DRIVER + "Makefile"] = makefile(self.objects)
        if patch.named("option"):
            new[DRIVER + "Kconfig"] = kconfig(self.options)
        return new


class Repository:
    """With a commit for each patch."""

    def __init__(self, directory, kernel):
        self.directory = Path(directory)
        self.git("init", "-q", "-b", "dmacpy")
        for path in HOOKS:
            self.write(path, text_of(kernel / path))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "base")
        self.git("tag", "base")

    def git(self, *arguments, **options):
        """Run git in it."""
        subprocess.run(["git", *arguments], cwd=self.directory, check=True,
                       text=True, **options)

    def write(self, path, text):
        """One file, and the directories that it needs."""
        place = self.directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def commit(self, patch, new):
        """These files, and the hooks."""
        for path, text in new.items():
            self.write(path, text)
        for path in patch.named("hook"):
            self.write(path, HOOKS[path](text_of(self.directory / path)))
        self.git("add", "-A")
        self.git("commit", "-q", "-s", "-F", "-",
                 input=f"{patch.subject}\n\n{patch.body}\n")

    def export(self, cover, out):
        """Write the patches."""
        self.git("config", "branch.dmacpy.description",
                 f"{cover.subject}\n\n{cover.body}\n")
        self.git("format-patch", "-q", "--cover-letter",
                 "--cover-from-description=subject", "-o", str(out), "base")


def identity():
    """Of git, or else that of MAINTAINERS, as variables for git."""
    name, mail = re.search(r"^M:\t(.*) <(.*)>", text_of(TOP / "MAINTAINERS"),
                           re.M).groups()
    for key, value in (("name", name), ("email", mail)):
        known = subprocess.run(["git", "config", f"user.{key}"], cwd=TOP,
                               capture_output=True, text=True, check=False)
        value = known.stdout.strip() or value
        for who in ("AUTHOR", "COMMITTER"):
            os.environ[f"GIT_{who}_{key.upper()}"] = value
    # Nothing else of the user's: a hook, a signature, another format
    os.environ["GIT_CONFIG_GLOBAL"] = os.environ["GIT_CONFIG_SYSTEM"] = (
        os.devnull)


def check():
    """Print the files that are in no patch."""
    contents = Contents(kernel_files(None, None))
    for patch in read_patches()[1:]:
        contents.add(patch)
    for path in sorted(contents.left):
        print(f"upstream/patches: {path} is in no patch")


def main():
    """Make the series."""
    kernel, unifdef, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    version = tuple(int(re.search(rf"^{name} = (\d+)",
                                  text_of(kernel / "Makefile"), re.M)[1])
                    for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    cover, *patches = read_patches()
    identity()
    out.mkdir(parents=True, exist_ok=True)
    contents = Contents(kernel_files(version, unifdef))
    with tempfile.TemporaryDirectory() as directory:
        repository = Repository(directory, kernel)
        for patch in patches:
            repository.commit(patch, contents.add(patch))
        repository.export(cover, out.resolve())
    for path, patch in zip(sorted(out.glob("*.patch"))[1:], patches):
        path.with_suffix(".rules").write_text(
            " ".join(patch.checkpatch_options()) + "\n", encoding="utf-8")


if sys.argv[1] == "--check":
    check()
else:
    main()
