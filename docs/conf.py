# Sphinx: `sphinx-build -W -b html docs docs/_build`. Neither the build nor the pages need the network.
import importlib
import inspect
import runpy
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

import dglm

project = "dglm"
author = "dglm developers"
copyright = "2026, dglm developers"
version = release = dglm.__version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "sphinx_design"]
exclude_patterns = ["_build", "examples", "figures"]
default_role = "literal"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc says the types, with shapes and units
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_theme_options = {"navigation_with_keys": False, "navbar_center": []}
html_title = f"dglm {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["dglm.css"]
templates_path = ["_templates"]
# the landing page has the table of contents already
html_sidebars = {"index": [], "**": ["guide"]}


def _make_figures(app):
    del app
    folder = Path(__file__).parent / "figures"
    for script in sorted(folder.glob("*.py")):
        runpy.run_path(str(script))["make"](folder / "made")


def _inline_math(translator, node):
    # browsers draw MathML by themselves, where MathJax would be fetched
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _displayed_math(translator, node):
    translator.body.append(f'<div class="displayed-math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


# modules whose every public name is in the reference, besides dglm and what it names
ROOMS = ("dglm.design.statistics", "dglm.sklearn", "dglm.testing")
MEMBERS = (property, classmethod, staticmethod)
_log = logging.getLogger(__name__)


def _check_reference(app, env):
    """Warn of what the reference does not have: public classes and functions, their public methods and properties."""
    del app
    exported = [dglm, *(getattr(dglm, name) for name in dglm.__all__)]
    rooms = [*filter(inspect.ismodule, exported), *map(importlib.import_module, ROOMS)]
    homes = {}
    for room in rooms:
        for name in room.__all__:
            public = getattr(room, name)
            if inspect.isclass(public) or inspect.isfunction(public):
                homes.setdefault(public, []).append(f"{room.__name__}.{name}")
    entries = {name for name, entry in env.get_domain("py").objects.items() if not entry.aliased}
    for public, names in homes.items():
        if entries.isdisjoint(names):
            _log.warning("the reference has no %s", names[0])
        for member, bases in _members(public).items():
            # what a class inherits is described there or with the class that it comes from
            if entries.isdisjoint(f"{home}.{member}" for base in bases for home in homes.get(base, ())):
                _log.warning("the reference has no %s.%s", names[0], member)


def _members(public):
    """Return the methods and properties of a class that dglm wrote, each with the classes that have it."""
    found = {}
    for base in public.__mro__ if inspect.isclass(public) else ():
        for name, member in vars(base).items() if base.__module__.startswith("dglm.") else ():
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, MEMBERS)):
                found.setdefault(name, [public]).append(base)
    return found


def setup(app):
    app.add_html_math_renderer("mathml", (_inline_math, None), (_displayed_math, None))
    app.connect("builder-inited", _make_figures)
    app.connect("env-updated", _check_reference)
