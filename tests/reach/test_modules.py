"""The modules that a process loaded from a work tree, and how long they are held."""

import gc
import sys
import types
import weakref

from taggedartifacts._reach.modules import loaded_modules


class TestElsewhere:
    """Modules that lie outside of the work tree."""

    def test_lets_go_of_what_left(self, project, tmp_path):
        """A module that has left ``sys.modules`` is not held, nor one in whose place another came."""
        files = loaded_modules(str(project.path)).files
        held = []
        for name in ("left", "changed"):
            sys.modules[name] = module = types.ModuleType(name)
            module.__file__ = str(tmp_path / f"{name}.py")
            files()
            held.append(weakref.ref(module))
            del module
        del sys.modules["left"]
        sys.modules["changed"] = types.ModuleType("changed")
        files()
        del sys.modules["changed"]
        gc.collect()

        assert [None, None] == [each() for each in held]
