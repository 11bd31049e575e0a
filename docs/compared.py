"""Make the table of a comparison that the docs show: ``python docs/compared.py > docs/compared.html``.

Two artifacts are made from two commits of a repository in a temporary directory, and compared. What is written is what
a notebook would be given, unchanged.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from taggedartifacts import compare, versions

WORK = """\
from pathlib import Path

from taggedartifacts import Artifact


@Artifact(keyword="outpath")
def histogram(table, bins, outpath):
    Path(outpath).write_text(f"{table} in {bins} bins")
"""


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def make(source: str, subject: str, call: str) -> None:
    Path("plots.py").write_text(source, encoding="utf-8")
    git("add", "plots.py")
    git("commit", "-m", subject)
    subprocess.run([sys.executable, "-B", "-c", f"import plots; plots.{call}"], check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        git("init")
        make(WORK, "Draw histograms", "histogram('penguins.csv', 40, 'figures/hist.png')")
        make(
            WORK.replace("in {bins}", "with {bins}"),
            "Say it better",
            "histogram('penguins.csv', 60, 'figures/hist.png')",
        )
        new, old = versions("figures/hist.png")
        sys.stdout.reconfigure(encoding="utf-8")
        print(compare(old, new)._repr_html_())
        os.chdir(os.path.dirname(directory))


if __name__ == "__main__":
    main()
