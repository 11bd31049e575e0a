"""Looks at real repositories, taken by fresh processes that import a module from there."""

from __future__ import annotations

import json

from gitrepo import GitRepo

WORK = """\
from taggedartifacts._code.codestate import take_look

def look(*, scope=(".",), **options):
    return take_look(__file__, namespace=globals(), scope=scope, **options)

LOOK = look()
"""

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
            "modules": dict(state.modules), "remote": state.remote,
        }}
    print(json.dumps(answer))
{code}
"""
IMPORT = "say(lambda: importlib.import_module({module!r}).look(**{options!r}).state())"


class LookedAt(GitRepo):
    """A repository that a module ``work.py`` looks at from inside."""

    def look(self, module="work", *, code=None, path=None, cwd=None, env=None, **options):
        """Say what a fresh process finds that imports the module, or runs *code* with ``say`` at hand."""
        probe = _PROBE.format(
            path=[str(self.path)] if path is None else path,
            code=code or IMPORT.format(module=module, options=options),
        )
        told = self.python("-c", f"import os; os.chdir({str(cwd or self.path)!r})\n{probe}", **(env or {}))
        return json.loads(told.splitlines()[-1])
