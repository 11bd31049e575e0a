"""Run a page of the docs as its reader would: ``python tests/run_page.py docs/tutorial.rst``, in an empty directory.

The rules for those who write pages stand at the head of ``test_docs.py``.
"""

from __future__ import annotations

import builtins
import contextlib
import difflib
import doctest
import importlib.util
import io
import os
import re
import subprocess
import sys
import textwrap
import traceback
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = "page.py"
_HAND_OVER = "hand_over_to_the_page"
_DIRECTIVE = re.compile(r"([ *-]*)\.\. code-block:: (\w+)\s*")
_NEEDS = re.compile(r"\bneeds-(\w+)")
_FILE_NAME = re.compile(r"# ([\w./-]+\.\w+|\.\w+)")
_VARYING = re.compile(
    r"(?P<digits>\b(?:[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{12}|[0-9a-f]{10})\b)"
    r"|(?P<seconds>\b\d+(?:\.\d+)?(?= s\b))"
    r"|(?P<rest>\.\.\.)"
)


@dataclass
class Block:
    """A code block: its language, its text, the line of the page at which the text begins (from 0), what it needs."""

    language: str
    text: str
    line: int
    needs: tuple[str, ...] = ()

    @property
    def file_name(self) -> str | None:
        """The file that the block is, if its first line says so."""
        match = _FILE_NAME.fullmatch(self.text.partition("\n")[0])
        return match[1] if match else None

    @property
    def is_script(self) -> bool:
        """Whether the block is a piece of the page's own script."""
        return self.language == "python" and self.file_name is None


def code_blocks(page: str) -> list[Block]:
    """Find the code blocks of a page."""
    lines = page.splitlines()
    blocks = []
    for number, line in enumerate(lines):
        if not (directive := _DIRECTIVE.fullmatch(line)):
            continue
        start = number + 1
        while lines[start].strip():  # options of the directive
            start += 1
        needs = tuple(_NEEDS.findall("\n".join(lines[number + 1 : start])))
        while not lines[start].strip():
            start += 1
        end = start
        while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" " * (len(directive[1]) + 1))):
            end += 1
        text = textwrap.dedent("\n".join(lines[start:end])).rstrip() + "\n"
        blocks.append(Block(directive[2], text, start, needs))
    return blocks


class Same:
    """Decides whether what happens is what a page shows, but for the digits of tags and the numbers of seconds.

    These differ from run to run, but what a page says with them must hold: digits that it shows twice are the same
    both times, and different ones differ.
    """

    def __init__(self) -> None:
        self._actual: dict[str, str] = {}

    def __call__(self, shown: str, actual: str) -> bool:
        """Compare, and remember which digits stand for which."""
        new: list[str] = []
        pattern, end = "", 0
        shown = _without_trailing_space(shown)
        for match in _VARYING.finditer(shown):
            pattern += re.escape(shown[end : match.start()]) + self._pattern(match, new)
            end = match.end()
        found = re.fullmatch(pattern + re.escape(shown[end:]), _without_trailing_space(actual), re.DOTALL)
        if not found:
            return False
        self._actual |= {digits: found[f"_{digits}"] for digits in new}
        return len(self._actual) == len(set(self._actual.values()))

    def _pattern(self, match: re.Match[str], new: list[str]) -> str:
        digits = match["digits"]
        if digits is None:
            return ".*?" if match["rest"] else r"\d+(?:\.\d+)?"
        if digits in self._actual:
            return self._actual[digits]
        if digits in new:
            return f"(?P=_{digits})"
        new.append(digits)
        return f"(?P<_{digits}>[0-9a-f]{{{len(digits)}}})"


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


class Page:
    """A page that is being run in the current directory."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._blocks = code_blocks(source.read_text(encoding="utf-8"))
        self._coming = iter(self._blocks)
        self._same = Same()

    def run(self) -> None:
        """Run the blocks from top to bottom.

        Raises:
            AssertionError: If something that the page shows does not happen.
        """
        managed = any(block.language == "console" and "$ git init" in block.text for block in self._blocks)
        source = self._script()
        if not managed:
            Path(SCRIPT).write_text(source, encoding="utf-8")
            for block in reversed(self._blocks):  # of each file the first version is the last to be written
                if block.file_name:
                    _write(block)
            subprocess.run("git init -q && git add -f . && git commit -q -m Page", shell=True, check=True)
        # The script is executed as the file that it is: the library would notice if other code ran. So it hands over
        # at the head of each block, and what stands between two blocks happens then.
        vars(builtins)[_HAND_OVER] = self._run_to_script
        exec(compile(source, os.path.abspath(SCRIPT), "exec", dont_inherit=True), _main())
        self._run_to_script()

    def _script(self) -> str:
        """Join the page's script, with each block on the lines that it has in the page, so that tracebacks fit."""
        script: list[str] = []
        for block in filter(lambda block: block.is_script, self._blocks):
            script += [""] * (block.line - len(script) - 1) + [f"{_HAND_OVER}()"] + block.text.splitlines()
        return "\n".join(script) + "\n"

    def _run_to_script(self) -> None:
        """Run what comes before the next piece of the script, or before the end."""
        for block in self._coming:
            if block.is_script:
                return
            if block.file_name:
                _write(block)
            elif self._missing(block):
                continue
            elif block.language == "pycon":
                self._run_prompt(block)
            elif block.language == "console":
                self._run_console(block)

    def _missing(self, block: Block) -> bool:
        missing = [name for name in block.needs if importlib.util.find_spec(name) is None]
        if missing:
            print(f"{self._source.name}:{block.line + 1}: not run, for there is no {' and no '.join(missing)}")
        return bool(missing)

    def _run_prompt(self, block: Block) -> None:
        for example in doctest.DocTestParser().get_examples(block.text):
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                try:
                    exec(compile(example.source, "<prompt>", "single", dont_inherit=True), _main())
                except Exception as error:  # shown, as a prompt does
                    print("Traceback (most recent call last):", *traceback.format_exception_only(error), sep="\n")
            self._check(block.line + example.lineno, example.source, example.want, output.getvalue())

    def _run_console(self, block: Block) -> None:
        commands = re.split(r"(?m)^\$ ", block.text)
        assert not commands[0].strip(), f"{self._source}:{block.line + 1}: a console block begins with '$ '"
        for text in commands[1:]:
            command, _, shown = text.partition("\n")
            while command.endswith("\\"):
                more, _, shown = shown.partition("\n")
                command = command + "\n" + more.removeprefix("> ")
            result = subprocess.run(
                ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            ending = f"exit code {result.returncode}\n" if result.returncode and not shown else ""
            self._check(block.line, command, shown, result.stdout + ending)

    def _check(self, line: int, command: str, shown: str, actual: str) -> None:
        if not self._same(shown, actual):
            difference = "\n".join(difflib.ndiff(shown.splitlines(), actual.splitlines()))
            raise AssertionError(f"{self._source}:{line + 1}: {command.strip()}\n{difference}")


def _write(block: Block) -> None:
    path = Path(block.file_name or SCRIPT)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def _main() -> dict[str, Any]:
    return vars(sys.modules["__main__"])


if __name__ == "__main__":
    runner = sys.modules["__main__"]  # kept alive
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.modules["__main__"].__file__ = os.path.abspath(SCRIPT)
    sys.path[0] = os.getcwd()
    Page(Path(sys.argv[1])).run()
