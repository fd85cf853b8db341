# Sphinx: `sphinx-build -W -b html docs docs/_build`. Nothing here needs the network.
import runpy
from importlib.metadata import version as installed_version
from pathlib import Path

project = "dglm"
author = "dglm developers"
copyright = "2026, dglm developers"
version = release = installed_version("dglm")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "sphinx_design"]
exclude_patterns = ["_build", "examples", "figures"]
default_role = "literal"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc says the types, with shapes and units
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_theme_options = {"navigation_with_keys": False, "navbar_center": []}
html_title = f"dglm {release}"
html_static_path = ["_static"]
html_css_files = ["dglm.css"]
templates_path = ["_templates"]
# the landing page has the table of contents already
html_sidebars = {"index": [], "**": ["guide"]}


def _make_figures(app):
    del app
    folder = Path(__file__).parent / "figures"
    runpy.run_path(str(folder / "three_estimates.py"))["make"](folder / "made")


def setup(app):
    app.connect("builder-inited", _make_figures)
