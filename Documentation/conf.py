# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx: Documentation/ as HTML, with the kernel-doc of the sources in it.

KERNEL_DOC names scripts/kernel-doc of a kernel.
"""
import os
import re
import subprocess
from pathlib import Path

import sphinx
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles

TOP = Path(__file__).resolve().parents[1]
# Where a file of a kernel tree is here
PLACES = {"include/uapi/": "uapi/", "drivers/misc/dmacpy/": "driver/"}


def newest_version():
    """The version of the newest entry, as the Makefile of user space does."""
    with open(TOP / "debian/changelog", encoding="utf-8") as changelog:
        return re.search(r"\((.*)\)", changelog.readline()).group(1)


def namespace(path, text):
    """To Sphinx a structure and a function of the same name are the same. Headers
    with functions only are taken for the source."""
    if path.startswith("userspace/"):
        return "library"
    functions = ".. c:function::" in text and ".. c:struct::" not in text
    return "functions" if path.endswith(".c") or functions else "NULL"


class KernelDoc(Directive):
    """The directive of Documentation/sphinx/kerneldoc.py, as far as used."""
    required_arguments = 1
    option_spec = {"doc": directives.unchanged_required,
                   "identifiers": directives.unchanged_required}

    def selection(self):
        """The arguments that name what to print; without any, it is all."""
        if "doc" in self.options:
            return ["-function", self.options["doc"]]
        names = self.options.get("identifiers", "").split()
        if not names:
            return ["-no-doc-sections"]
        return [word for name in names for word in ("-function", name)]

    def run(self):
        """Parse what scripts/kernel-doc prints."""
        path = self.arguments[0]
        for place, here in PLACES.items():
            path = path.replace(place, here)
        env = self.state.document.settings.env
        env.note_dependency(str(TOP / path))
        done = subprocess.run(
            [os.environ["KERNEL_DOC"], "-rst", "-sphinx-version",
             sphinx.__version__, *self.selection(), path],
            cwd=TOP, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            raise self.error(f"kernel-doc of {path}:\n{done.stderr}")
        section = nodes.section(document=self.state.document)
        space = namespace(path, done.stdout)
        for text in (f".. c:namespace:: {space}", done.stdout):
            nested_parse_with_titles(
                self.state, StringList(text.splitlines(), path), section)
        return section.children


def setup(app):
    """Called by Sphinx."""
    app.add_directive("kernel-doc", KernelDoc)
    return {"parallel_read_safe": True}


project = "dmacpy"
release = newest_version()
# pylint: disable-next=redefined-builtin
copyright = "the authors of dmacpy"
highlight_language = "none"
c_id_attributes = ["__user"]
smartquotes = False
html_theme = "alabaster"
html_theme_options = {"description": "DMA copies and on-chip SRAM for programs",
                      "fixed_sidebar": True, "page_width": "62em"}
html_show_sphinx = False
html_copy_source = False
