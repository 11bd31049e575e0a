"""The table of values that science passes, from the rows of its families; as a script, prints hashes."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import sys
import warnings

from value_rows import LIBRARIES, files, models, places, standard, tables

FAMILIES = (standard, tables, models, places, files)


def available(name):
    """Tell whether all that a library's rows need can be imported."""
    try:
        for module in LIBRARIES[name][0]:
            importlib.import_module(module)
    except ImportError:
        return False
    return True


def version(name):
    """Tell the version of a library."""
    module = importlib.import_module(LIBRARIES[name][0][0])
    if name == "Python":
        return ".".join(map(str, sys.version_info[:2]))
    found = importlib.metadata.packages_distributions().get(module.__name__, [name])
    return importlib.metadata.version(found[0])


def hashes(names):
    """Hash all values of the rows of some libraries."""
    from taggedartifacts import UnhashableError, config_hash

    found = {}
    for name in names:
        for row in LIBRARIES[name][1]():
            if row.refused is not None:
                try:
                    found[f"{name}: {row.what}"] = [config_hash(row.make())]
                except UnhashableError as error:
                    found[f"{name}: {row.what}"] = str(error)
                continue
            found[f"{name}: {row.what}"] = [config_hash(make()) for make in (row.make, *row.others)]
    return found


def page(names):
    """Write the table for the documentation."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 20 60 20", "")
    yield from ("   * - Library", "     - Values", "     - Tried with")
    for name in names:
        rows = LIBRARIES[name][1]()
        counted = ", ".join(row.what for row in rows if row.refused is None)
        refused = ", ".join(row.what for row in rows if row.refused is not None)
        text = "; ".join(filter(None, (counted, refused and f"*refused:* {refused}")))
        yield from (f"   * - {name}", f"     - {text}", f"     - {version(name)}")


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--page", action="store_true")
    options.add_argument("names", nargs="*")
    given = options.parse_args()
    warnings.simplefilter("ignore")
    chosen = given.names or [name for name in LIBRARIES if available(name)]
    if given.page:
        print("\n".join(page(chosen)))
    else:
        json.dump(hashes(chosen), sys.stdout)
