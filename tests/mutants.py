"""Mutants: small wrong changes of the critical places, each of which some test must notice.

Run on demand, from the root of the repository: ``python tests/mutants.py [WORD ...]``. Each mutant is made in a copy of
the package, and the tests that are named beside it are run against that copy until the first fails. With words, only
the mutants whose file or name holds one of them. It prints who survives; the exit code is the number of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Mutant(NamedTuple):
    """One wrong change.

    Attributes:
        file: The module, below the package.
        before: Text that stands there exactly once.
        after: What it becomes.
        tests: What must notice, as pytest takes it.
        equivalent: Why nothing can notice, where that is so.
    """

    file: str
    before: str
    after: str
    tests: str
    equivalent: str = ""


ORDER = "tests/store/test_order.py"
KEPT = "tests/store/test_kept.py"
LARGE = "tests/store/test_large.py"
MEMORY = "tests/call/test_memory.py"
OUTCOME = "tests/call/test_outcome.py"
RECORD = "tests/store/test_record.py"
SHARED = "tests/store/test_shared.py"
PATCHES = "tests/store/test_patches.py"
ENDINGS = "tests/call/test_endings.py"
PRUNE = "tests/history/test_prune.py"
VERIFY = "tests/history/test_verify.py"
RUN = "tests/call/test_run.py"

MUTANTS = [
    # Flushes, names and their order
    Mutant("_store/disk.py", "        os.fsync(descriptor)\n    finally:\n        os.close(descriptor)\n\n\ndef sync_directory", "        pass\n    finally:\n        os.close(descriptor)\n\n\ndef sync_directory", ORDER),
    Mutant("_store/disk.py", "        if error.errno not in _CANNOT_SYNC:\n            raise", "        pass", ORDER),
    Mutant("_store/disk.py", "            file.flush()\n            os.fsync(descriptor)", "            file.flush()", ORDER),
    Mutant("_store/written.py", "        if stat.S_ISREG(status.st_mode):\n            sync_file(path)", "        pass", ORDER),
    Mutant("_store/written.py", "    for directory in sorted(directories, reverse=True):\n        sync_directory(directory)", "    pass", ORDER),
    Mutant("_store/written.py", "        for future in synced:\n            future.result()", "        pass", ORDER),
    Mutant("_store/folder.py", "            sync_directory(above)", "            pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.records)", "        pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.manifests)", "        pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.path)", "        pass", ORDER),
    Mutant("_store/publish.py", "        _move_companions(staged, moved)\n        if not exclusive:\n            _replace(staged, staged.name)", "        if not exclusive:\n            _replace(staged, staged.name)\n        _move_companions(staged, moved)", ORDER),
    Mutant("_store/publish.py", "    except OSError as error:\n        _log.warning(\"%s is published", "    except ZeroDivisionError as error:\n        _log.warning(\"%s is published", ORDER),
    Mutant("_store/publish.py", "            with contextlib.suppress(OSError):\n                move(place, target)\n", "", ORDER, "clearing the staging brings it back as well"),
    Mutant("_store/patches.py", "    sync_directory(folder.patches)", "    pass", ORDER),
    # What is kept
    Mutant("_store/publish.py", "        _bring_back(staged, moved)\n", "", KEPT),
    Mutant("_store/publish.py", "    unmark(staged.staging)\n", "", KEPT, "an empty staging directory holds nothing to keep"),
    Mutant("_store/kept.py", "            return None\n        name =", "            pass\n        name =", KEPT),
    Mutant("_store/kept.py", "[: _NAME_BYTES - len(moment)]", "", KEPT),
    Mutant("_store/kept.py", "        folder.make_kept()\n", "        os.makedirs(folder.kept, exist_ok=True)\n", KEPT),
    Mutant("_store/kept.py", "        mark(staging)\n", "", KEPT, "it is marked already where the mark could be made"),
    Mutant("_store/kept.py", "    unmark(staging)\n    with", "    with", KEPT),
    Mutant("_store/staging.py", "    if is_marked(path) and keep(folder, path) is not None:\n        return\n", "", KEPT),
    Mutant("_store/staging.py", "            if key == lock_key(name) and not os.path.lexists(path.removesuffix(COMPLETE)):", "            if False:", KEPT, "a mark without its directory does no harm but to lie there"),
    Mutant("_store/claim.py", "            fcntl.flock(descriptor, fcntl.LOCK_SH)", "            pass", KEPT),
    Mutant("_store/claim.py", "    except BlockingIOError:\n        return True", "    except BlockingIOError:\n        return False", KEPT),
    Mutant("_store/claim.py", "    for each in tuple(_held):\n", "    for each in ():\n", KEPT),
    Mutant("_call/run.py", "    if lock.works and is_worked_on(target.folder, target.name):", "    if False:", KEPT),
    Mutant("_call/outcome.py", "        mark(each.staging)", "        pass", KEPT),
    Mutant("_call/run.py", "        if held.making.returned and", "        if", KEPT),
    Mutant("_call/run.py", "            keep_all(staged, error)", "            pass", KEPT),
    Mutant("_call/outcome.py", "            each.folder.make()  # what", "            pass  # what", KEPT),
    Mutant("_call/outcome.py", "        error.args = (error.errno, error.strerror, *error.args[2:])", "        pass", KEPT),
    Mutant("_call/steps.py", "                value = f(*step.bound.args, **step.bound.kwargs)\n                step.making.returned = True", "                value = f(*step.bound.args, **step.bound.kwargs)", KEPT),
    Mutant("_history/verify.py", "        for path_kept in kept(stretch.folder, None if stretch.whole else stretch.names):", "        for path_kept in kept(stretch.folder):", KEPT),
    # Records that are always read back
    Mutant("_store/short.py", "_MOST_CHARACTERS = 16 << 10", "_MOST_CHARACTERS = 16 << 20", LARGE),
    Mutant("_store/short.py", "        if len(part) <= _MOST_TOGETHER:", "        if True:", LARGE),
    Mutant("_store/short.py", "            if depth == 1 and first < 0:", "            if depth == 1:", LARGE),
    Mutant("_store/record.py", "(self if self.manifest is None else replace(self, files=()))", "(self)", LARGE),
    Mutant("_store/record.py", 'if not _repeats(key, value, values[key])}', "}", LARGE),
    Mutant("_store/content.py", "        same_listing = _listing(entries) == record.listing", "        pass", LARGE),
    Mutant("_store/content.py", "max(times.values(), default=record.mtime_ns), _listing(entries)", "max(times.values(), default=record.mtime_ns), record.listing", OUTCOME),
    Mutant("_store/publish.py", "        for gone in manifests_of(staged.folder, staged.name, predecessor):\n            os.unlink(gone)\n", "", LARGE),
    Mutant("_history/prune.py", "    paths += manifests_of(folder, name, version.record)\n", "", LARGE),
    Mutant("_history/keys.py", "canonical_differences(shortened(a.canonical), shortened(b.canonical))", "canonical_differences(a.canonical, b.canonical)", LARGE),
    Mutant("_call/run.py", "    check_size(call)\n", "", LARGE),
    Mutant("_store/record.py", "        os.fsencode(name)\n", "", RECORD),
    Mutant("_store/record.py", "    if not abs(number) < 1 << 63:", "    if abs(number) > 1 << 63:", RECORD),
    # Hits
    Mutant("_store/content.py", "        seen = [(\"\", status.st_size, status.st_mtime_ns)]\n        known = [(\"\", record.size, record.mtime_ns)]", "        seen = [(\"\", 0, status.st_mtime_ns)]\n        known = [(\"\", 0, record.mtime_ns)]", ORDER),
    Mutant("_call/call.py", "        key = (function, state.commit, state.dirty, state.digest, *config, cwd, *paths, *kinds)", "        key = (function, state.commit, state.dirty, state.digest, *config, *paths, *kinds)", ORDER),
    Mutant("_call/call.py", "        key = (function, state.commit, state.dirty, state.digest, *config, cwd, *paths, *kinds)", "        key = (function, state.commit, state.dirty, state.digest, *config, cwd, *paths)", ORDER),
    Mutant("_store/standing.py", "    if record is not None and record.artifact != name:", "    if False:", ORDER),
    Mutant("_call/run.py", "        folder.look_closely()\n        sweep(", "        sweep(", ORDER),
    Mutant("_history/prune.py", "        if known_version(version.target) != version:", "        if False:", PRUNE),
    # Memory
    Mutant("_memory.py", "            forget()\n", "            pass\n", MEMORY),
    Mutant("_memory.py", "            if size > MOST_BYTES:\n                return\n", "", MEMORY),
    Mutant("_call/call.py", "_FEW_BYTES = 4096", "_FEW_BYTES = 1 << 30", MEMORY),
    Mutant("_call/inputs.py", "            _groups.put(key", "            print(key", MEMORY),
    Mutant("_call/inputs.py", "    file.is_settled = bool(file.identity[1]) and", "    file.is_settled = True or", MEMORY),
    Mutant("_reach/modules.py", "                object.__setattr__(known, \"_code\", compared)", "                pass", MEMORY, "only a module that was seen while another one was decorated is compared again"),
    Mutant("_reach/modules.py", "known._code is code and known._stamp == stamp:", "known._code is code:", MEMORY),
    # Endings
    Mutant("_reach/forks.py", "    _here.taken = looking.acquire(timeout=_SECONDS)", "    _here.taken = False", ENDINGS, "the lock is made anew, and what a thread left half done shows by chance only"),
    Mutant("_reach/forks.py", "if hasattr(os, \"register_at_fork\"):", "if False:", ENDINGS),
    Mutant("_reach/forks.py", "                importlib.import_module(name)", "                pass", ENDINGS),
    Mutant("_store/written.py", "        except RuntimeError:  # no thread", "        except ZeroDivisionError:  # no thread", ENDINGS),
    Mutant("_call/inputs.py", "    with contextlib.suppress(RuntimeError):", "    with contextlib.suppress(ZeroDivisionError):", ENDINGS),
    # Who may read, and what is odd
    Mutant("_store/patches.py", "        allowed &= _allowed(path, group, stat.S_IRGRP, stat.S_IROTH)", "        pass", PATCHES),
    Mutant("_store/patches.py", "        allowed &= _allowed(directory, group, stat.S_IXGRP, stat.S_IXOTH)", "        pass", PATCHES),
    Mutant("_store/patches.py", "0o006 * (others and members)", "0o006 * others", PATCHES),
    Mutant("_history/prune.py", "            except OSError as error:\n                _log.warning(\"%s is kept, as far as it is there: %s\", version.target.path, error)\n                continue", "            except ZeroDivisionError as error:\n                continue", PRUNE),
    Mutant("_errors.py", "_printable(arg) if isinstance(arg, str) else arg", "arg", RECORD),
]  # fmt: skip


def survives(mutant, place):
    """Tell whether the tests pass on a mutant, in a copy of the repository."""
    path = place / "taggedartifacts" / mutant.file
    source = path.read_text(encoding="utf-8")
    assert source.count(mutant.before) == 1, (
        f"{mutant.file} holds {mutant.before!r} {source.count(mutant.before)} times"
    )
    path.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", mutant.tests]
    environment = {**os.environ, "PYTHONPATH": str(place), "MUTATED_PACKAGE": str(place)}
    try:
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, timeout=900, check=False)
        return done.returncode == 0
    except subprocess.TimeoutExpired:  # it hangs where it should not: noticed
        return False
    finally:
        path.write_text(source, encoding="utf-8")


def main(words):
    """Try the mutants; returns how many survive that should not."""
    chosen = [each for each in MUTANTS if not words or any(word in f"{each.file} {each.before}" for word in words)]
    left = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "copy")
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".git", "__pycache__", ".*_cache"))
        for number, mutant in enumerate(chosen, 1):
            is_left = survives(mutant, place)
            said = "survives" if is_left else "noticed"
            why = f" (equivalent: {mutant.equivalent})" if mutant.equivalent else ""
            print(
                f"{number}/{len(chosen)} {said}{why}: {mutant.file}: {mutant.before.strip().splitlines()[0]}",
                flush=True,
            )
            left += [mutant] if is_left and not mutant.equivalent else []
    print(f"{len(left)} of {len(chosen)} survive and are not equivalent")
    return len(left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
