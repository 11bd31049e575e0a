"""The first release, 0.1.1, in an environment of its own: ``python first_release.py <rounds>``, in the project.

It only gives names: a call whose file is there runs the function again. Prints seconds for a call as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

from timing import interleaved

from taggedartifacts import Artifact


def main(rounds: int) -> None:
    warnings.simplefilter("ignore")
    runs = []
    os.makedirs("figures", exist_ok=True)

    @Artifact(keyword="outpath", config={"bins": 40}, allow_dirty=True)
    def histogram(table, outpath):
        runs.append(table)
        with open(outpath, "w") as file:
            file.write("x" * 1000)

    samples = interleaved(
        {"call": lambda: histogram("penguins.csv", outpath="figures/first.png")}, rounds=rounds, seconds=0.004
    )
    json.dump({"samples": samples, "ran each time": len(runs) > 1}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
