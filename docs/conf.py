"""Settings of the docs: ``python -m sphinx -n -W docs docs/_build``."""

import importlib.metadata

from pygments.lexers.python import PythonLexer
from sphinx.highlighting import lexers

project = "taggedartifacts"
author = "The taggedartifacts developers"
release = importlib.metadata.version(project)
version = release.rpartition(".")[0]

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
default_role = "code"
nitpick_ignore_regex = [
    ("py:.*", r"(?!taggedartifacts\b).*"),  # not ours: the docs are built without a network to look it up
    ("py:.*", r"taggedartifacts\._.*"),  # ours, and private
]

html_theme = "furo"
html_title = "taggedartifacts"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_show_copyright = False  # the licence lies in the repository

add_module_names = False  # there is one module, and a phone is narrow
autodoc_typehints = "description"  # beside what docstrings say of each; signatures stay readable
autodoc_typehints_description_target = "documented_params"
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

lexers["ipython"] = PythonLexer()  # cells of notebooks, which may hold magics: Pygments has none for them by itself


def setup(app):
    """Leave the arguments out of the headings of errors: nobody calls them."""
    app.connect("autodoc-process-signature", lambda app, what, *_: ("", None) if what == "exception" else None)
