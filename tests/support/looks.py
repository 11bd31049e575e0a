"""Looks at real repositories, taken by fresh processes that import a module from there."""

from __future__ import annotations

import json
import os
import sys

from gitrepo import GitRepo

from taggedartifacts._code.codestate import take_look

WORK = """\
from taggedartifacts._code.codestate import take_look

def look(*, scope=(".",), **options):
    return take_look(__file__, namespace=globals(), scope=scope, **options)

LOOK = look()
"""
AUTOMATIC = WORK.replace('scope=(".",)', "scope=()")

_PROBE = """\
import importlib, json, sys
sys.path[:0] = {path!r}
def say(make):
    try:
        state = make()
    except Exception as error:
        answer = {{"error": type(error).__name__, "message": str(error)}}
    else:
        answer = {{
            "commit": state.commit, "dirty": state.dirty, "root": state.root,
            "scope": list(state.scope.paths), "files": sorted(state.scope.files),
            "changes": {{change.path: change.what for change in state.changes}},
            "patch": state.patch.decode("latin-1") if state.patch is not None else None,
            "modules": dict(state.modules), "remote": state.remote, "digest": state.digest,
            "kind": state.scope.kind.value, "reasons": list(state.scope.reasons),
        }}
    print(json.dumps(answer))
{code}
"""
IMPORT = "say(lambda: importlib.import_module({module!r}).look(**{options!r}).state())"


class LookedAt(GitRepo):
    """A repository that a module ``work.py`` looks at from inside."""

    def glance(self, file="work.py", **options):
        """Say what a look finds for a function of a file that nobody has loaded, as `look` says it."""
        state = take_look(str(self.path / file), fresh=True, **options).state()
        return {
            "commit": state.commit,
            "dirty": state.dirty,
            "digest": state.digest,
            "kind": state.scope.kind.value,
            "reasons": list(state.scope.reasons),
            "files": sorted(state.scope.files),
            "changes": {change.path: change.what for change in state.changes},
            "modules": dict(state.modules),
        }

    def look(self, module="work", *, code=None, path=None, cwd=None, env=None, **options):
        """Say what a fresh process finds that imports the module, or runs *code* with ``say`` at hand."""
        probe = _PROBE.format(
            path=[str(self.path)] if path is None else path,
            code=code or IMPORT.format(module=module, options=options),
        )
        told = self.python("-c", f"import os; os.chdir({str(cwd or self.path)!r})\n{probe}", **(env or {}))
        return json.loads(told.splitlines()[-1])


def importable(tmp_path, monkeypatch):
    """Make a repository whose modules this process may import, and forget these afterwards: for a fixture."""
    made = LookedAt(tmp_path / "repo")
    made.write(".gitignore", "__pycache__/\nlocal_*\n")
    made.write("src/code.py", "x = 1\n")
    made.write("docs/page.rst", "text\n")
    made.write("work.py", WORK)
    made.commit("First")
    monkeypatch.syspath_prepend(made.path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv("TAGGEDARTIFACTS_COMMIT", raising=False)
    before = set(sys.modules)
    yield made
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def varied(tmp_path):
    """Make a repository with a script, modules, settings, a link and what git ignores."""
    made = LookedAt(tmp_path / "repo")
    made.write("work.py", "import helper\n" + WORK)
    made.write("helper.py", "x = 1\n")
    made.write("other.py", "import os\nif os.environ.get('NEW'): import new\n" + WORK)
    made.write("conf/settings.yaml", "bins: 40\n")
    made.write("run.sh", "#!/bin/sh\n")
    made.write(".gitignore", "*.secret\nlocal_*.py\nvenv/\n/nested/\n__pycache__/\n")
    os.symlink("settings.yaml", made.path / "conf" / "link.yaml")
    made.commit()
    return made
