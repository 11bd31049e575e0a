"""Mutants: small wrong changes of the critical places, each of which some test must notice.

Run on demand, from the root of the repository: ``python tests/mutants.py [WORD ...]``. Each mutant is made in a copy of
the package, and the tests that are named beside it are run against that copy until the first fails. With words, only
the mutants whose file or name holds one of them. It prints who survives; the exit code is the number of them.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
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
PATCHES = "tests/store/test_patches.py"
ENDINGS = "tests/call/test_endings.py"
PRUNE = "tests/history/test_prune.py"
KEY = "tests/store/test_key.py"
AT_ONCE = "tests/store/test_at_once.py"
REUSE = "tests/store/test_reuse.py"
ORIGIN = "tests/store/test_origin.py"
CONDITION = "tests/store/test_condition.py"
CALLS = "tests/call/test_call.py"
WITHIN = "tests/code/test_codestate_properties.py -k Within --hypothesis-profile=thorough"
SESSION = "tests/session/test_session.py -k TestCells"
INPUTS = "tests/call/test_inputs.py tests/call/test_undeclared.py"
OPENED = "tests/call/test_undeclared.py -k TestOpened"
TRACKED = "tests/call/test_inputs.py -k TestTracked"
MEANWHILE = "tests/code/test_meanwhile.py"
PLAIN = "tests/call/test_plain.py"
BINDING = "tests/call/test_binding.py"
SCOPE = "tests/code/test_scope.py"
DIRT = "tests/code/test_dirt.py"
LOOK = "tests/code/test_look.py"
KINDS = "tests/code/test_kinds.py"
ENCODING = "tests/canonical/test_encoding.py"
ARRAYS = "tests/canonical/test_arrays.py"
CLASSES = "tests/canonical/test_classes.py"
SYNTAX = "tests/reach/test_syntax.py"

MUTANTS = [
    # Flushes, names and their order
    Mutant("_store/disk.py", "        os.fsync(descriptor)\n    finally:\n        os.close(descriptor)\n\n\ndef sync_directory", "        pass\n    finally:\n        os.close(descriptor)\n\n\ndef sync_directory", ORDER),
    Mutant("_store/disk.py", "        if error.errno not in _CANNOT_SYNC:\n            raise", "        pass", ORDER),
    Mutant("_store/disk.py", "                first()\n            os.fsync(descriptor)", "                first()", ORDER),
    Mutant("_store/publish.py", "partial(sync_written, staged) if unsynced else None", "None", ORDER),
    Mutant("_store/written.py", "        if stat.S_ISREG(status.st_mode):\n            sync_file(path)", "        pass", ORDER),
    Mutant("_store/written.py", "    for directory in sorted(directories, reverse=True):\n        sync_directory(directory)", "    pass", ORDER),
    Mutant("_store/written.py", "        for future in synced:\n            future.result()", "        pass", ORDER),
    Mutant("_store/folder.py", "            sync_directory(above)", "            pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.records)", "        pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.manifests)", "        pass", ORDER),
    Mutant("_store/publish.py", "        sync_directory(staged.folder.path)", "        pass", ORDER),
    Mutant("_store/publish.py", "        _move_companions(staged, moved)\n        if not exclusive:\n            _replace(staged, staged.name)", "        if not exclusive:\n            _replace(staged, staged.name)\n        _move_companions(staged, moved)", ORDER),
    Mutant("_store/publish.py", "    except OSError as error:\n        _log.warning(\"%s is published", "    except ZeroDivisionError as error:\n        _log.warning(\"%s is published", ORDER),
    Mutant("_store/publish.py", "    sync_directory(folder.patches)", "    pass", ORDER),
    # What is kept
    Mutant("_store/publish.py", "        _bring_back(staged, moved)\n", "", KEPT),
    Mutant("_store/publish.py", "    unmark(staged.staging)\n", "", KEPT),
    Mutant("_store/staging.py", "            return None\n        name =", "            pass\n        name =", KEPT),
    Mutant("_store/staging.py", "[: _NAME_BYTES - len(moment)]", "", KEPT),
    Mutant("_store/staging.py", "        folder.make_kept()\n", "        os.makedirs(folder.kept, exist_ok=True)\n", KEPT),
    Mutant("_store/staging.py", "        mark(staging)\n", "", KEPT),
    Mutant("_store/staging.py", "    unmark(staging)\n    with", "    with", KEPT),
    Mutant("_store/staging.py", "    if os.path.lexists(path + COMPLETE) and keep(folder, path) is not None:\n        return\n", "", KEPT),
    Mutant("_store/staging.py", "            if key == lock_key(name) and not os.path.lexists(path.removesuffix(COMPLETE)):", "            if False:", KEPT),
    Mutant("_store/staging.py", "            fcntl.flock(descriptor, fcntl.LOCK_SH)", "            pass", KEPT),
    Mutant("_store/staging.py", "    except BlockingIOError:\n        return True", "    except BlockingIOError:\n        return False", KEPT),
    Mutant("_store/staging.py", "    for each in tuple(_claims):\n", "    for each in ():\n", KEPT),
    Mutant("_call/run.py", "    if lock.works and is_worked_on(target.folder, target.name):", "    if False:", KEPT),
    Mutant("_call/outcome.py", "        mark(each.staging)", "        pass", KEPT),
    Mutant("_call/run.py", "        if making.returned and", "        if", KEPT),
    Mutant("_call/run.py", "            keep_all(staged, error)", "            pass", KEPT),
    Mutant("_call/outcome.py", "            each.folder.make()  # what", "            pass  # what", KEPT),
    Mutant("_call/outcome.py", "        error.args = (error.errno, error.strerror, *error.args[2:])", "        pass", KEPT),
    Mutant("_call/steps.py", "                value = f(*step.bound.args, **step.bound.kwargs)\n                step.making.returned = True", "                value = f(*step.bound.args, **step.bound.kwargs)", KEPT),
    Mutant("_history/verify.py", "        for path_kept in kept_work(selection.folder, None if selection.whole else selection.names):", "        for path_kept in kept_work(selection.folder):", KEPT),
    # Records that are always read back
    Mutant("_store/key.py", "_MOST_CHARACTERS = 16 << 10", "_MOST_CHARACTERS = 16 << 20", LARGE),
    Mutant("_store/key.py", "        if len(part) <= _MOST_TOGETHER:", "        if True:", LARGE),
    Mutant("_store/key.py", "            if depth == 1 and first < 0:", "            if depth == 1:", LARGE),
    Mutant("_store/record.py", 'values if self.manifest is None else values | {"files": ()}', "values", LARGE),
    Mutant("_store/record.py", 'if not _repeats(key, value, values[key])}', "}", LARGE),
    Mutant("_store/condition.py", "        same_listing = _listing(entries) == record.listing", "        pass", LARGE),
    Mutant("_store/condition.py", "max(times.values(), default=record.mtime_ns), _listing(entries)", "max(times.values(), default=record.mtime_ns), record.listing", LARGE),
    Mutant("_store/publish.py", "        _forget(staged, predecessor, but=record)  # now", "        pass  # now", LARGE),
    Mutant("_store/publish.py", "        _forget(staged, record.replaced)\n", "", LARGE),
    Mutant("_history/prune.py", "    paths += manifests_of(folder, name, version.record)\n", "", LARGE),
    Mutant("_call/run.py", "    check_size(call)\n", "", LARGE),
    Mutant("_store/record.py", "        os.fsencode(name)\n", "", RECORD),
    Mutant("_store/record.py", "    if not abs(number) < 1 << 63:", "    if abs(number) > 1 << 63:", RECORD),
    # Hits
    Mutant("_store/condition.py", "        seen = [(\"\", status.st_size, status.st_mtime_ns)]\n        known = [(\"\", record.size, record.mtime_ns)]", "        seen = [(\"\", 0, status.st_mtime_ns)]\n        known = [(\"\", 0, record.mtime_ns)]", OUTCOME),
    Mutant("_store/origin.py", "    if record.artifact != name:", "    if False:", ORDER),
    Mutant("_call/run.py", "        folder.look_closely()\n        sweep(", "        sweep(", ORDER),
    Mutant("_history/prune.py", "        if known_version(version.target) != version:", "        if False:", PRUNE),
    # Memory
    Mutant("_memory.py", "            forget()\n", "            pass\n", MEMORY),
    Mutant("_memory.py", "            if size > MOST_BYTES:\n                return\n", "", MEMORY),
    Mutant("_call/plain.py", "_MOST_KEY = 16 << 10", "_MOST_KEY = 16 << 30", "tests/call/test_plain.py tests/call/test_memory.py"),
    Mutant("_call/inputs.py", "            _remembered.put(key", "            print(key", MEMORY),
    Mutant("_call/inputs.py", "    file.is_settled = bool(file.identity[1]) and", "    file.is_settled = True or", MEMORY),
    # Endings
    Mutant("_reach/forks.py", "    looking.acquire(timeout=_SECONDS)\n", "", ENDINGS),
    Mutant("_reach/forks.py", "if hasattr(os, \"register_at_fork\"):", "if False:", ENDINGS),
    Mutant("_reach/forks.py", "                importlib.import_module(name)", "                pass", ENDINGS),
    Mutant("_store/written.py", "        except RuntimeError:  # no thread", "        except ZeroDivisionError:  # no thread", ENDINGS),
    Mutant("_call/inputs.py", "    with contextlib.suppress(RuntimeError):", "    with contextlib.suppress(ZeroDivisionError):", ENDINGS),
    # Who may read, and what is odd
    Mutant("_store/publish.py", "        allowed &= _allowed(path, group, stat.S_IRGRP, stat.S_IROTH)", "        pass", PATCHES),
    Mutant("_store/publish.py", "        allowed &= _allowed(directory, group, stat.S_IXGRP, stat.S_IXOTH)", "        pass", PATCHES),
    Mutant("_store/publish.py", "0o006 * (others and members)", "0o006 * others", PATCHES),
    Mutant("_history/prune.py", "        except OSError as error:\n            _log.warning(\"%s is kept, as far as it is there: %s\", version.target.path, error)\n            continue", "        except ZeroDivisionError as error:\n            continue", PRUNE),
    Mutant("_errors.py", "_printable(arg) if isinstance(arg, str) else arg", "arg", RECORD),
    # What a hit compares
    Mutant("_store/key.py", "self[:5] == other[:5]", "self[:4] == other[:4]", KEY),
    Mutant("_store/key.py", "self[:5] == other[:5]", "self[1:5] == other[1:5]", KEY),
    Mutant("_store/key.py", "same_rest = (self.dirty, self.config_hash) == (other.dirty, other.config_hash)", "same_rest = self.dirty == other.dirty", KEY),
    Mutant("_store/key.py", "same_rest = (self.dirty, self.config_hash) == (other.dirty, other.config_hash)", "same_rest = self.config_hash == other.config_hash", KEY),
    Mutant("_store/key.py", " and same_rest and _same_function(self.function, other.function)", " and same_rest", KEY),
    Mutant("_tag.py", "parts[1:4] == digits", "parts[1:3] == digits[:2]", KEY),
    Mutant("_store/key.py", "return one == other or one.endswith(f\"/{other}\") or", "return one == other or one.endswith(other) or", KEY),
    Mutant("_store/reuse.py", "    if not record.key.agrees(key):\n        raise _conflict(path, record, key)\n", "", REUSE),
    Mutant("_store/reuse.py", "if memo.stood == (key, size, mtime_ns, now):", "if memo.stood and memo.stood[1:] == (size, mtime_ns, now):", AT_ONCE),
    Mutant("_store/reuse.py", "if memo.stood == (key, size, mtime_ns, now):", "if memo.stood and memo.stood[:3] == (key, size, mtime_ns):", AT_ONCE),
    Mutant("_store/reuse.py", "if memo.stood == (key, size, mtime_ns, now):", "if memo.stood and memo.stood[:2] + memo.stood[3:] == (key, size, now):", AT_ONCE),
    Mutant("_store/reuse.py", "memo.known[:2] == (record_path, now)", "False", AT_ONCE),
    Mutant("_store/reuse.py", "memo.known[:2] == (record_path, now)", "True", AT_ONCE),
    Mutant("_store/reuse.py", " or text != sealed(text[:-_SEAL])", "", AT_ONCE),
    Mutant("_store/reuse.py", '\\n"size": {size},\\n"mtime_ns": {mtime_ns},', "", AT_ONCE),
    Mutant("_store/reuse.py", "_name_of(record.outputs, position) != record.artifact", "False", REUSE),
    Mutant("_store/reuse.py", "    if promised != is_directory:", "    if False:", REUSE),
    Mutant("_store/reuse.py", "    if os.path.islink(path) and not os.path.exists(path):", "    if False:", REUSE),
    Mutant("_store/reuse.py", "        if again == record == before:", "        if again == record:", "tests/store/test_reuse.py -k TestFound"),
    Mutant("_store/reuse.py", "    _check_no_companion(target)\n    _log.warning", "    _log.warning", REUSE),
    Mutant("_store/reuse.py", "    if record is None:\n        _check_no_companion(target)\n", "    if record is None:\n        pass\n", REUSE),
    Mutant("_store/origin.py", "if known[1] == signature(os.lstat(path)):", "if os.lstat(path):", ORIGIN),
    Mutant("_store/origin.py", "status.st_size, status.st_mtime_ns, status.st_ctime_ns", "status.st_size", ORIGIN),
    Mutant("_store/origin.py", "    if not record.key.is_in(name):", "    if False:", ORIGIN),
    Mutant("_store/origin.py", " and known[2].run == record.run:", ":", ORIGIN),
    Mutant("_store/condition.py", "            if same and not read:", "            if same:", CONDITION),
    Mutant("_store/condition.py", "            if same or (same is None and run.run):", "            if same is None:", CONDITION),
    Mutant("_store/condition.py", "            if _same_digests(path, run):", "            if True:", CONDITION),
    Mutant("_store/condition.py", "doubtful.append(_with_times(path, run))", "doubtful.append(run)", CONDITION),
    Mutant("_store/condition.py", "runs = (record,) if record.replaced is None else (record, record.replaced)", "runs = (record,)", CONDITION),
    Mutant("_store/condition.py", "return Condition.PARTIAL if _is_left_as_made(path, runs) else Condition.CHANGED, record", "return Condition.PARTIAL, record", CONDITION),
    Mutant("_store/condition.py", "return True if status.st_mtime_ns == record.mtime_ns else None", "return True", CONDITION),
    Mutant("_store/condition.py", "        if status.st_size != record.size:\n            return False\n", "", CONDITION),
    Mutant("_store/condition.py", "return iter(sorted(found))", "return iter(found)", CONDITION),
    Mutant("_store/condition.py", "f\"{entry.path}\\0{entry.digest}\\n\"", "f\"{entry.digest}\\n\"", CONDITION),
    Mutant("_store/condition.py", ".digest == record.digest and all(", ".digest == record.digest or all(", CONDITION),
    # Forged records
    Mutant("_store/record.py", "        if type(value) not in types:", "        if not isinstance(value, tuple(types)):", RECORD),
    Mutant("_store/record.py", "not _FILE_NAME.fullmatch(name) or name in", "name in", RECORD),
    Mutant("_store/record.py", " or name in (os.curdir, os.pardir)", "", "tests/store/test_record.py -k folder"),
    Mutant("_store/record.py", "    names.update([entry.path for entry in values[\"companions\"]])\n", "", RECORD),
    Mutant("_store/record.py", "if not _SEVERAL_HEXES.fullmatch(text) or text", "if text", RECORD),
    Mutant("_store/record.py", " or text.count(\" \") >= len(hexes)", "", RECORD),
    Mutant("_store/disk.py", "        if status.st_size > most:", "        if False:", RECORD),
    Mutant("_store/record.py", "        except RecursionError as error:\n            raise RecordError(\"it", "        except ZeroDivisionError as error:\n            raise RecordError(\"it", RECORD),
    Mutant("_store/record.py", "    if tuple(data) == _NAMES and all(map(", "    if tuple(data) == _NAMES or all(map(", RECORD),
    Mutant("_store/condition.py", "    if not types <= {(str, int, int, str)}:", "    if False:", LARGE),
    Mutant("_store/condition.py", " and each.manifest.startswith(f\"{lock_key(name)}-\")}", "}", "tests/store/test_large.py -k TestManifests"),
    # Locks, staging, sweep
    Mutant("_store/staging.py", "works and not is_claimed(path):", "works:", "tests/store/test_shared.py -k another_artifact"),
    Mutant("_store/staging.py", "            if not os.path.lexists(restored):", "            if True:", "tests/store/test_shared.py -k stepped_aside"),
    Mutant("_store/staging.py", "            if not os.path.islink(inner):", "            if True:", "tests/store/test_shared.py -k links_in_it"),
    Mutant("_store/lock.py", "            if error.errno not in _NO_LOCKS:\n                raise\n", "", "tests/store/test_file_systems.py -k other_error"),
    Mutant("_store/lock.py", "        if not stat.S_ISREG(status.st_mode):", "        if False:", "tests/store/test_shared.py -k place_of_a_lock"),
    Mutant("_store/reuse.py", "            if error.errno not in _REPLACED or not starts:", "            if error.errno not in _REPLACED:", "tests/store/test_file_systems.py -k for_good"),
    Mutant("_store/written.py", "            if recompute or _is_same(os.path.join(staged.staging, name), path):", "            if True:", "tests/call/test_outcome.py -k record_is_lost"),
    Mutant("_store/written.py", "    if stat.S_ISLNK(status.st_mode):\n        raise", "    if False:\n        raise", "tests/call/test_outcome.py -k no_file"),
    Mutant("_store/written.py", "        if target.startswith(inside):", "        if False:", "tests/call/test_outcome.py -k links_stay"),
    Mutant("_store/publish.py", "        elif os.path.lexists(staged.path):", "        elif True:", "tests/store/test_file_systems.py -k 'TestWithoutLocks or answer_is_lost'"),
    Mutant("_store/publish.py", "        for gone in companion_names(predecessor) - companion_names(record):\n            move(staged.folder.artifact(gone), os.path.join(staged.staging, gone))\n", "", "tests/store/test_kept.py -k fewer_beside"),
    Mutant("_history/prune.py", "        if is_busy(folder, name, locked=lock.works):", "        if False:", "tests/history/test_prune.py -k another_host"),
    Mutant("_history/prune.py", "        if not lock.try_acquire():", "        if not lock.try_acquire() and False:", "tests/history/test_prune.py -k being_made"),
    Mutant("_history/prune.py", " if each.path.startswith(split_name(name)[0])]", "]", "tests/history/test_prune.py tests/store/test_record.py"),
    Mutant("_history/prune.py", "condition(version.target, record)[0] is Condition.CHANGED", "False", "tests/history/test_prune.py -k was_changed"),
    Mutant("_store/staging.py", "(locked and _is_ours(path)) or", "locked or", "tests/store/test_shared.py -k another_host"),
    # Calls
    Mutant("_call/call.py", "plain_key((counted, given, cwd))", "plain_key((counted, given))", CALLS),
    Mutant("_call/call.py", "plain_key((counted, given, cwd))", "plain_key((counted, cwd))", CALLS),
    Mutant("_call/call.py", "plain_key((counted, given, cwd))", "plain_key((counted[1:], given, cwd))", CALLS),
    Mutant("_call/call.py", "key = None if decoration.options.inputs else plain_key", "key = plain_key", "tests/call/test_call.py -k input_that"),
    Mutant("_call/call.py", "    if view is not seen and view != seen:\n        return None\n", "", SESSION),
    Mutant("_call/call.py", "view.read) is not reading:", "view.read) is None:", CALLS),
    Mutant("_call/call.py", "    if now is not state and now != state:\n        return None\n", "", CALLS),
    Mutant("_call/call.py", "    check_allowed(decoration, now)\n", "", CALLS),
    Mutant("_call/call.py", "known is not None and known[0] is context:", "known is not None:", CALLS),
    Mutant("_call/call.py", "parameters.encoded(*counted) | context.encoded", "parameters.encoded(*counted)", CALLS),
    Mutant("_call/call.py", "if context is None or may_name_globals(encoded[\"arguments\"]):", "if context is None:", CALLS),
    Mutant("_call/call.py", "if key is not None and not may_name_globals(encoded[\"arguments\"]):", "if key is not None:", CALLS),
    Mutant("_call/call.py", "each.record is not None and each.record.undeclared:", "False:", "tests/call/test_undeclared.py -k Undeclared"),
    Mutant("_call/call.py", "state.dirty is not None and not options.allow_dirty and", "state.dirty is not None and", CALLS),
    Mutant("_call/inputs.py", "        if same:\n            entries", "        if True:\n            entries", INPUTS),
    Mutant("_call/inputs.py", "(now.st_size, now.st_mtime_ns) == (entry.size, entry.mtime_ns):", "now.st_size == entry.size:", INPUTS),
    Mutant("_call/inputs.py", "_digest_of(file, \"\") == entry.digest:", "entry.digest:", INPUTS),
    Mutant("_call/inputs.py", "stat.S_ISREG(status.st_mode) and not counts(file):", "stat.S_ISREG(status.st_mode):", INPUTS),
    Mutant("_call/call.py", "return tuple(found) if len(runs) <= 1 else None", "return tuple(found)", "tests/call/test_outcome.py"),
    Mutant("_call/run.py", "    if again := making.artifacts & being_made():", "    if again := frozenset():", "tests/call/test_run.py -k recursive"),
    Mutant("_call/run.py", "        if os.getpid() != process:\n            raise", "        if False:\n            raise", "tests/call/test_crowd.py -k child_that_returns"),
    Mutant("_call/run.py", "    if not recompute and _reused(call):\n        return call\n    call.check_links()", "    call.check_links()", "tests/call/test_run.py -k made_meanwhile"),
    Mutant("_call/run.py", "    if recompute:\n        call.check_owner()\n", "", REUSE),
    Mutant("_call/run.py", "sorted(call.targets, key=wholes.__getitem__)", "call.targets", "tests/call/test_run.py -k one_order"),
    Mutant("_call/inputs.py", "return {None: {key: _describe(name, item, files, cwd) for key, item in path.items()}}", "return {key: _describe(name, item, files, cwd) for key, item in path.items()}", INPUTS),
    Mutant("_call/inputs.py", "    if after != file.identity:", "    if False:", INPUTS),
    Mutant("_call/inputs.py", "    if found.st_ino and itself in parents:", "    if False:", INPUTS),
    Mutant("_call/inputs.py", "            names = sorted(entry for entry in os.listdir(path) if entry != HIDDEN)", "            names = sorted(os.listdir(path))", INPUTS),
    Mutant("_call/plain.py", "{type(Path()): _path_mark, ArtifactPath: _artifact_mark}", "{type(Path()): _path_mark, ArtifactPath: _path_mark}", PLAIN),
    Mutant("_call/binding.py", "name not in self._left_out or name == self._without_state", "name not in self._left_out", BINDING),
    Mutant("_call/destination.py", "    if len(set(names)) < count:", "    if False:", BINDING),
    # Inputs that nobody declared, and what else a run opens
    Mutant("_call/inputs.py", "if is_ours or any(", "if any(", OPENED),
    Mutant("_call/inputs.py", " or file.startswith(each + os.sep)", "", OPENED),
    Mutant("_call/inputs.py", "    file = os.path.join(root, path)\n    return file, os.stat(file)", "    raise FileNotFoundError", OPENED),
    Mutant("_call/inputs.py", "    return tuple(found[:_MOST_LISTED])", "    return tuple(found)", OPENED),
    Mutant("_call/inputs.py", "\"\" if file.name else file.path", "\"\"", OPENED),
    Mutant("_call/inputs.py", " and not is_tagged(os.path.basename(path)):", ":", "tests/call/test_undeclared.py -k TestUndeclared"),
    Mutant("_call/binding.py", "            above = os.path.dirname(above)", "            above = \"\"", TRACKED),
    Mutant("_call/inputs.py", "for item in value.values() if isinstance(value, dict) else value:", "for item in value:", TRACKED),
    Mutant("_call/binding.py", "found = os.stat(path)", "found = os.lstat(path)", TRACKED),
    Mutant("_call/binding.py", " - {None}", "", TRACKED),
    Mutant("_reach/opened.py", "if event in _STARTS or len(", "if len(", MEANWHILE),
    Mutant("_reach/opened.py", " or len(self.files) >= _MOST_FILES", "", MEANWHILE),
    Mutant("_reach/opened.py", " and absolute not in self.files:", ":", OPENED),
    Mutant("_reach/opened.py", "None if _only_writes(event, arguments) else _status_at(absolute)", "_status_at(absolute)", OPENED),
    Mutant("_reach/opened.py", "== os.O_WRONLY", "!= 0", OPENED),
    Mutant("_reach/opened.py", "tuple(each for each in _watching or () if each is not opened)", "()", OPENED),
    Mutant("_reach/opened.py", "os.path.abspath(os.fsdecode(path))", "os.fsdecode(path)", OPENED),
    Mutant("_code/meanwhile.py", "paths = tracked.paths if opened.has_started else tracked", "paths = tracked", MEANWHILE),
    Mutant("_code/meanwhile.py", "tracked.unseen | (tracked.paths & seen)", "tracked.paths & seen", MEANWHILE),
    Mutant("_code/meanwhile.py", "for path in (file, os.path.realpath(file))}", "for path in (file,)}", MEANWHILE),
    Mutant("_code/meanwhile.py", " or change is not None or not same_syntax", " or not same_syntax", MEANWHILE),
    Mutant("_code/meanwhile.py", "return before is not None and before[0] != 0", "return False", MEANWHILE),
    Mutant("_code/meanwhile.py", "max(info.st_mtime, info.st_ctime) < facts.taken - _MARGIN_SECONDS", "info.st_mtime < facts.taken", MEANWHILE),
    Mutant("_code/meanwhile.py", "if known is None or stamp_of(known.file) != known.stamp:", "if known is None:", OPENED),
    Mutant("_code/meanwhile.py", "        and not path.startswith(submodules)\n", "", OPENED),
    Mutant("_code/meanwhile.py", "        and not _NO_DATA.intersection(path.split(\"/\"))\n", "", OPENED),
    Mutant("_code/meanwhile.py", "        and not is_installed(path, facts.root)\n", "", OPENED),
    Mutant("_code/meanwhile.py", "        and path not in modules\n", "", OPENED),
    Mutant("_code/meanwhile.py", " or counts(leads_to))}", ")}", OPENED),
    Mutant("_reach/forks.py", "        looking.release()  # and still", "        looking._at_fork_reinit()  # and still", "tests/call/test_endings.py -k middle_of_a_look"),
    # The code
    Mutant("_code/scope.py", "        if path in self.files:\n            return True\n        if self.is_whole:", "        if self.is_whole:", SCOPE),
    Mutant("_code/scope.py", "        if is_probed(path, self.probes):\n            return True\n", "", SCOPE),
    Mutant("_code/scope.py", "*self.paths, \"\", *sorted(self.files), \"\", *sorted(self.probes))", "*self.paths, \"\", *sorted(self.files))", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/scope.py", "(*parts, \"\", *sorted(self.names))", "parts", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/scope.py", "            found = entry(path) or _submodule_above(path, entry)", "            found = entry(path)", SCOPE),
    Mutant("_code/scope.py", "parts.append(f\"{found[0]:o} {found[1]} {path}\")", "parts.append(f\"{found[1]} {path}\")", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/scope.py", "parts.append(f\"{found[0]:o} {found[1]} {path}\")", "parts.append(f\"{found[0]:o} {path}\")", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/scope.py", "[f\"{self.kind.value} {self.by_bytes}\", *sorted(self.names)]", "[f\"{self.kind.value} {self.by_bytes}\"]", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/scope.py", "        by_bytes=one.by_bytes or other.by_bytes,", "        by_bytes=one.by_bytes,", "tests/code/test_scope.py -k TestKey"),
    Mutant("_code/dirt.py", "        elif now.doubt:\n            what = now.doubt\n", "", "tests/git/test_peculiarities.py -k 'lfs or filter or doubt or command'"),
    Mutant("_code/dirt.py", "        elif (now.mode, now.oid) == before:", "        elif now.oid == before[1]:", DIRT),
    Mutant("_code/dirt.py", "        if now is None and (before is None or path in self._any(path).sparse):", "        if now is None and before is None:", DIRT),
    Mutant("_code/dirt.py", "        if before == (SUBMODULE_MODE, inner.repository.head):", "        if before:", "tests/git/test_peculiarities.py -k TestSubmodules"),
    Mutant("_code/dirt.py", "        if self.repository.is_shallow:\n            return search()\n", "", "tests/code/test_code_memory.py -k deeper_history"),
    Mutant("_code/dirt.py", "parts = [b\"%o %s %s\\0\" % (each.mode, ", "parts = [b\"%o %s %s\\0\" % (0, ", "tests/code/test_codestate.py -k test_digest"),
    Mutant("_code/dirt.py", "os.fsencode(each.path)) for each in in_order(changes)]", "os.fsencode(each.path)) for each in changes]", "tests/code/test_codestate.py -k test_digest"),
    Mutant("_code/dirt.py", " or old[0] != new[0] or", " or", "tests/code/test_scope.py -k TestLayout"),
    Mutant("_code/dirt.py", "    return before != \"\" and before ==", "    return before ==", "tests/code/test_scope.py -k TestLayout"),
    Mutant("_code/facts.py", "        return scope.by_bytes or not same_syntax(repository, delta)", "        return not same_syntax(repository, delta)", "tests/code/test_scope.py -k TestLayout"),
    Mutant("_code/facts.py", "        return scope.by_bytes or not same_syntax(repository, delta)", "        return True", "tests/code/test_scope.py -k TestLayout"),
    Mutant("_code/facts.py", "changes = {path: each for path, each in changes.items() if not each.is_layout}", "pass", "tests/code/test_scope.py -k TestLayout"),
    Mutant("_code/scope.py", "code = {*self.files, *self.paths, *(path", "code = {*self.files, *(path", WITHIN),
    Mutant("_code/scope.py", "code = {*self.files, *self.paths, *(path", "code = {*self.paths, *(path", WITHIN),
    Mutant("_code/scope.py", "for path in probed(self.probes))}", "for path in ())}", WITHIN),
    Mutant("_code/scope.py", "code.union(path for path in others if self.holds(path))", "code", WITHIN),
    Mutant("_code/scope.py", "if others is None or any(map(kinds.may_name_source, self.names)):", "if others is None:", WITHIN),
    Mutant("_code/kinds.py", "or any(letter in \"*?[]\" for letter in end)", "", WITHIN),
    Mutant("_git/repository.py", "(told := Told.from_text(text)).stamp == self._now() and", "(told := Told.from_text(text)) and", "tests/git/test_index.py -k moved"),
    Mutant("_git/repository.py", "(self.head, is_on(self._opened, \"core.sparsecheckout\"), *self._stamp)", "(self.head, *self._stamp)", "tests/git/test_index.py -k moved"),
    Mutant("_git/index.py", "told.is_small and told.is_settled:", "told.is_small:", "tests/git/test_index.py -k young"),
    Mutant("_git/repository.py", " and not self._is_stale():", ":", "tests/git/test_index.py -k touched"),
    Mutant("_git/repository.py", "self._recall() or self.kept.keep(self._ask_index())", "self.kept.keep(self._ask_index())", "tests/git/test_index.py -k is_used"),
    Mutant("_git/repository.py", "paths = [ffi.string(entry.path) for entry in self._entries()]", "paths = []", "tests/git/test_index.py"),
    Mutant("_code/facts.py", "    if entry is not None and not status.may_differ(FILE):", "    if entry is not None:", "tests/code/test_settings.py tests/code/test_codestate.py -k 'TestScope or settings'"),
    Mutant("_code/look.py", "        if status.repository.is_ignored(path[len(prefix) :]):", "        if False:", "tests/code/test_dirt.py -k test_ignored"),
    Mutant("_code/look.py", "is_stale = not loaded.is_as_loaded() or (loaded.is_doubtful and change is not None)", "is_stale = False", LOOK),
    Mutant("_code/look.py", "        if now is not None and (now.mode, now.oid) == expected:", "        if True:", LOOK),
    Mutant("_code/look.py", "            if is_compared:\n                return change\n            return self._judge_later", "            if True:\n                return change\n            return self._judge_later", LOOK),
    Mutant("_code/kinds.py", "    if kind is None:\n        return True\n    if kind ==", "    if kind is None:\n        return False\n    if kind ==", KINDS),
    Mutant("_git/index.py", "entry.flags & _ASSUME_UNCHANGED or ", "", DIRT),
    Mutant("_git/index.py", "if is_sparse and entry.flags_extended", "if entry.flags_extended", f"{DIRT} -m heavy -k 'skip and deleted'"),
    # The canonical form
    Mutant("_canonical/text.py", "return format(Decimal(value), \"f\")", "return format(Decimal(value), \"E\")", ENCODING),
    Mutant("_canonical/text.py", "return text if \"n\" not in text else tagged_text(\"float\", quoted(text))", "return text", ENCODING),
    Mutant("_canonical/text.py", "if len(digits) <= point <= _MOST_INTEGRAL_DIGITS:", "if len(digits) <= point < _MOST_INTEGRAL_DIGITS:", ENCODING),
    Mutant("_canonical/text.py", "if -_MOST_LEADING_ZEROS < point <= 0:", "if -_MOST_LEADING_ZEROS <= point <= 0:", ENCODING),
    Mutant("_canonical/text.py", "if len(value) <= _LITERAL_BYTES:", "if len(value) < _LITERAL_BYTES:", ENCODING),
    Mutant("_canonical/text.py", "f'[{len(value)},\"{hexdigest(value)}\"]'", "f'[\"{hexdigest(value)}\"]'", ENCODING),
    Mutant("_canonical/text.py", "else sorted(names, key=_utf16)", "else sorted(names)", ENCODING),
    Mutant("_canonical/text.py", "    return None if shape.mistakable else shape", "    return shape", ENCODING),
    Mutant("_canonical/text.py", "listed(sorted(texts, key=utf8))", "listed(texts)", ENCODING),
    Mutant("_canonical/text.py", "    if not _STRINGS.issuperset(map(type, value)):\n        return None\n", "", ENCODING),
    Mutant("_canonical/text.py", "encode(\"utf-8\", \"backslashreplace\")", "encode(\"utf-8\", \"replace\")", ENCODING),
    Mutant("_canonical/text.py", "        separator = \",\"\n", "        separator = \"\"\n", "tests/canonical/test_arrays.py -k 'Elements or fill or masked'"),
    Mutant("_canonical/encoding.py", "            inside.discard(id(current))\n", "", ENCODING),
    Mutant("_canonical/encoding.py", "    bool: lambda value: \"true\" if value else \"false\",", "    bool: integer,", ENCODING),
    Mutant("_canonical/encoding.py", "(names.written_name(describe), name, describe(value))", "(name, describe(value))", ENCODING),
    Mutant("_canonical/encoding.py", "        self.known.clear()\n", "", ENCODING),
    Mutant("_canonical/arrays.py", "wanted = plain.dtype.newbyteorder(\"<\")", "wanted = plain.dtype", ARRAYS),
    Mutant("_canonical/arrays.py", "if plain.flags.c_contiguous and plain.dtype == wanted:", "if plain.dtype == wanted:", ARRAYS),
    Mutant("_canonical/arrays.py", "f'[{dtype},[{\",\".join(map(str, shape))}],\"{content}\"]'", "f'[{dtype},\"{content}\"]'", ARRAYS),
    Mutant("_canonical/arrays.py", "f'[{dtype},[{\",\".join(map(str, shape))}],\"{content}\"]'", "f'[[{\",\".join(map(str, shape))}],\"{content}\"]'", ARRAYS),
    Mutant("_canonical/arrays.py", "(numpy.where(mask, numpy.zeros((), values.dtype), values), mask, fill)", "(numpy.where(mask, numpy.zeros((), values.dtype), values), mask)", "tests/canonical/test_arrays.py -k 'Elements or fill or masked'"),
    Mutant("_canonical/arrays.py", "(numpy.where(mask, numpy.zeros((), values.dtype), values), mask, fill)", "(values, mask, fill)", "tests/canonical/test_arrays.py -k 'Elements or fill or masked'"),
    Mutant("_canonical/classes.py", "        \"closure\": cells,\n", "", CLASSES),
    Mutant("_canonical/classes.py", "        \"defaults\": defaults(function),\n", "", CLASSES),
    Mutant("_canonical/classes.py", "        \"reads\": {name: _module_by_name(space[name]) for name in source.reads if name in space},\n", "", CLASSES),
    Mutant("_canonical/refused.py", "    if any(len(path) == 1 for path in paths):", "    if all(len(path) == 1 for path in paths):", ENCODING),
]  # fmt: skip


def outcome(tests, place):
    """Run tests on the package of a copy of the repository: "passed", "failed", or what pytest says of neither."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", *shlex.split(tests)]
    environment = {**os.environ, "PYTHONPATH": str(place), "MUTATED_PACKAGE": str(place)}
    try:
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, timeout=900, check=False)
    except subprocess.TimeoutExpired:  # it hangs where it should not
        return "failed"
    said = done.stdout.decode(errors="replace")[-2000:]
    return {0: "passed", 1: "failed"}.get(done.returncode, f"ended with {done.returncode}: {said}")


def survives(mutant, number, place):
    """Tell whether the tests pass on a mutant, in a copy of the repository."""
    path = place / "taggedartifacts" / mutant.file
    source = path.read_text(encoding="utf-8")
    times = path.stat()
    path.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
    os.utime(path, (number, number))  # a time of its own: no compiled file of another mutant is taken for it
    try:
        said = outcome(mutant.tests, place)
    finally:
        path.write_text(source, encoding="utf-8")
        os.utime(path, (times.st_atime, times.st_mtime))
    assert said in {"passed", "failed"}, f"{mutant.file}: {mutant.before!r}: the tests {said}"
    return said == "passed"


def main(words):
    """Try the mutants; returns how many survive that should not."""
    chosen = [each for each in MUTANTS if not words or any(word in f"{each.file} {each.before}" for word in words)]
    left, passing = [], {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "copy")
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".git", "__pycache__", ".*_cache"))
        for each in chosen:
            count = (place / "taggedartifacts" / each.file).read_text(encoding="utf-8").count(each.before)
            assert count == 1, f"{each.file} holds {each.before!r} {count} times"
        for number, mutant in enumerate(chosen, 1):
            if mutant.tests not in passing:
                said = passing[mutant.tests] = outcome(mutant.tests, place)
                assert said == "passed", f"without a mutant, {mutant.tests} {said}"
            is_left = survives(mutant, number, place)
            said = "survives" if is_left else "noticed"
            why = f" (equivalent: {mutant.equivalent})" if mutant.equivalent else ""
            print(
                f"{number}/{len(chosen)} {said}{why}: {mutant.file}: {mutant.before.strip().splitlines()[0]}",
                flush=True,
            )
            left += [mutant] if is_left and not mutant.equivalent else []
    minutes = (time.monotonic() - began) / 60
    print(f"{len(left)} of {len(chosen)} survive and are not equivalent ({minutes:.0f} minutes)")
    return len(left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
