import ast
import json

import pytest

from taggedartifacts._reach.definition import Source
from taggedartifacts._reach.syntax import node_digest, outline
from taggedartifacts._session.notebooks import by_bare, cells, missing, outlines, plain_python

CELL = "import numpy as np\n\n@Artifact('out')\ndef f(x, out):\n    # comment\n    return helper(x)\n"


def notebook(*sources, **changes):
    """The bytes of a notebook, of format 4 as a list of lines."""
    code = [
        {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": [], "execution_count": None}
        for source in sources
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **changes}).encode()


def source(text, ours=("Artifact",)):
    """What a session knows of the first definition in a text."""
    node = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.Lambda))
    callees = frozenset(node_digest(ast.parse(name, mode="eval").body) for name in ours)
    return Source(getattr(node, "name", "<lambda>"), "", outline(node), callees, ())


def missing_in(path, content, *texts):
    return [each.name for each in missing([source(text) for text in texts], by_bare(outlines(path, content)))]


class TestCells:
    @pytest.mark.parametrize(
        "content",
        [
            notebook(CELL, "x = 1"),
            json.dumps({"cells": [{"cell_type": "code", "source": CELL}]}).encode(),
            json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": CELL}]}]}).encode(),
            notebook(CELL.replace("\n", "\r\n")),
            notebook("## nothing", CELL, ""),
            notebook("%%time\n" + CELL),
            notebook("%%capture\n%%time\n%matplotlib inline\n" + CELL),
            notebook("%matplotlib inline\n!ls\nfiles = !ls\nfiles?\n" + CELL),
            notebook(CELL, metadata={"kernelspec": {"name": "other"}}),
        ],
    )
    def test_committed(self, content):
        """A definition stands in a notebook however the notebook is written, with magics around it or not."""

        assert [] == missing_in("a/n.ipynb", content, CELL)

    @pytest.mark.parametrize(
        "content",
        [
            b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n",
            b"<<<<<<< HEAD\n" + notebook(CELL),
            notebook(CELL)[:-20],
            b"",
            b"[]",
            b'{"cells": [1, null], "worksheets": 3}',
            notebook("def f(x, out):\n    return helper(-x)"),
            json.dumps({"cells": [{"cell_type": "markdown", "source": CELL}]}).encode(),
            notebook("%%bash\necho f"),
            notebook("def f(:"),
            notebook("x = '''" + CELL + "'''"),
        ],
    )
    def test_not_committed(self, content):
        """Nothing stands in a file that is damaged, nor outside its code cells."""

        assert ["f"] == missing_in("a/n.ipynb", content, CELL)

    def test_percent_format(self):
        """A percent-format script has code cells, and text cells that are none."""
        script = f"# %% [markdown]\n# Text ' of people.\n\n# %%\n{CELL}\n# %% cell title\n%time x = 1\n# %%\ny = 2\n"

        assert [] == missing_in("a.py", script.encode(), CELL)
        assert 4 == len(list(cells("a.py", script.encode())))

    def test_marimo(self):
        """A marimo notebook is a script whose cells are functions."""
        indented = CELL.replace("\n", "\n    ")
        script = f"import marimo\napp = marimo.App()\n\n@app.cell\ndef _():\n    {indented}\n    return (f,)\n"

        assert [] == missing_in("a.py", script.encode(), CELL)

    @pytest.mark.parametrize(
        ("path", "opening"),
        [
            ("a.qmd", "```{python}"),
            ("a.qmd", "~~~~ { python }"),
            ("a.qmd", "```{python}\n#| label: fig-1\n#| echo: false"),
            ("a.Rmd", "```{python label, echo=FALSE}"),
            ("a.rmd", "```{python, echo=FALSE}"),
            ("a.md", "```{code-cell} ipython3"),
            ("a.md", "```{code-cell}\n:tags: [hide-input]\n:label: one\n"),
            ("a.md", "````{code-cell} python\n---\ntags: [remove-cell]\n---"),
            ("a.md", ":::{code-cell} ipython3"),
            ("a.md", "```{code-cell} ipython3\n%%time"),
        ],
    )
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_documents(self, path, opening, newline):
        """A definition stands in a chunk of a Quarto, R Markdown or MyST document, whatever its options."""
        fence = opening.split("{")[0].strip()
        text = f"---\ntitle: It's\n---\n\nText ' of people.\n\n{opening}\n{CELL}{fence}\n\nMore.\n"

        assert [] == missing_in(path, text.replace("\n", newline).encode(), CELL)

    @pytest.mark.parametrize(
        "text",
        [
            f"```python\n{CELL}```\n",
            f"```{{.python}}\n{CELL}```\n",
            f"```{{{{python}}}}\n{CELL}```\n",
            f"```{{r}}\n{CELL}```\n",
            f"```{{code-block}} python\n{CELL}```\n",
            f"````markdown\n```{{python}}\n{CELL}```\n````\n",
            f"```{{python}}\n{CELL}",
            f"{CELL}\n",
        ],
    )
    def test_no_chunks(self, text):
        """Code that a document only shows or quotes is no cell, nor is a chunk that does not end."""

        assert ["f"] == missing_in("a.qmd", text.encode(), CELL)

    def test_chunks_in_blocks(self):
        """Chunks stand in lists, and in the blocks that documents put around them; each is read on its own."""
        indented = CELL.rstrip().replace("\n", "\n  ")
        text = (
            f"```{{python}}\ndef broken(:\n```\n::: {{.panel}}\n- Item\n\n  ```{{python}}\n  {indented}\n  ```\n:::\n"
        )

        assert [] == missing_in("a.qmd", text.encode(), CELL)

    def test_jupytext(self):
        """In Markdown that Jupytext reads, every Python block is a cell."""
        text = f"---\njupyter:\n  jupytext:\n    main_language: python\n---\n\n```python tags=[]\n{CELL}```\n"

        assert [] == missing_in("a.md", text.encode(), CELL)
        assert ["f"] == missing_in("a.md", text.replace("jupytext:", "other:").encode(), CELL)

    @pytest.mark.parametrize("cell", [CELL, "# MAGIC %python\n# MAGIC " + CELL.rstrip().replace("\n", "\n# MAGIC ")])
    def test_databricks(self, cell):
        """A Databricks source has cells of Python, and of other languages in comments."""
        text = (
            "# Databricks notebook source\n# MAGIC %md it's\n\n# COMMAND ----------\n\ndef broken(:\n\n"
            f"# COMMAND ----------\n\n{cell}\n\n# COMMAND ----------\n\n# MAGIC %sql\n# MAGIC SELECT 1\n"
        )

        assert [] == missing_in("a.py", text.encode(), CELL)

    def test_other_files(self):
        """Scripts without cells are no notebooks, nor are other files."""

        assert [] == list(cells("a.py", CELL.encode()))
        assert [] == list(cells("a.py", b"# %%\n\xff"))


class TestMissing:
    def test_decorators(self):
        """Our decorator may be configured otherwise at HEAD; those of others may not."""
        committed = notebook(CELL.replace("('out')", "('out', {'a': 2})").replace("@", "@jit(1)\n@"))

        assert [] == missing_in("n.ipynb", committed, CELL.replace("@", "@jit(1)\n@"))
        assert ["f"] == missing_in("n.ipynb", committed, CELL.replace("@", "@jit(2)\n@"))
        assert ["f"] == missing_in("n.ipynb", committed, CELL)

    def test_nested(self):
        """A definition inside another, and a lambda, are found too."""

        assert [] == missing_in("n.ipynb", notebook("if 1:\n  def a():\n    def b(): return 1"), "def b(): return 1")
        assert [] == missing_in("n.ipynb", notebook("area = lambda r: r"), "lambda r : r")

    def test_unknown_source(self):
        """A definition whose source is not known is never committed."""
        committed = by_bare(outlines("n.ipynb", notebook("def g(): 1")))
        unknown = Source("g", "1", None, frozenset(), ())

        assert [unknown] == missing([unknown], committed)

    def test_transform(self):
        """Magics inside a definition are compared as the session's own transformation writes them."""
        text = "def g():\n    %time x\n"

        def transform(cell):
            return cell.replace("%time x", "get_ipython().run_line_magic('time', 'x')")

        assert [] == missing([source(transform(text))], by_bare(outlines("n.ipynb", notebook(text), transform)))


class TestPlain:
    def test_indentation(self):
        """A magic becomes a statement of the same indentation, and operators stay what they are."""

        assert "if x:\n    pass\ny = 5 % 3\nz = x != 2" == plain_python("if x:\n    %time\ny = 5 % 3\nz = x != 2")
