"""What tells a female penguin from a male one? Three steps, each of them made once and then reused.

``clean`` takes the incomplete rows out of a table, ``fit`` estimates a logistic regression and its uncertainty (the
step that takes a second or two), and ``draw`` shows the result. Each step returns the path of what it made and the next
one takes it, which is all that chains them. Run the script twice and compare what it says; then with
``--resamples 500``: the table is reused, and the model and the figure are made. Then edit it: it runs, and the names
of what it makes say ``dirty`` until the edit is committed or undone.
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

from taggedartifacts import Artifact, show_log

mpl.use("Agg")  # draws into files, and needs no display
from matplotlib import pyplot as plt

HERE = Path(__file__).parent
OUTPUT = HERE / "output"
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
CONFIG = {"resamples": 2_000, "seed": 20071111, "ridge": 1.0}


@Artifact(keyword="outpath", inputs=("source",), allow_dirty=True)
def clean(source, outpath):
    """Leave out the penguins that were not measured completely."""
    table = pd.read_csv(source)
    table.dropna(subset=[*MEASUREMENTS, "sex"]).to_csv(outpath, index=False)


@Artifact(keyword="outpath", config=CONFIG, allow_dirty=True)
def fit(table, outpath):
    """Estimate how each measurement tells the sexes apart, and how sure that is by drawing the penguins anew."""
    penguins = pd.read_csv(table)
    # Species differ more than the sexes do, so each penguin is measured against its own.
    by_species = penguins.groupby("species")[MEASUREMENTS]
    features = ((penguins[MEASUREMENTS] - by_species.transform("mean")) / by_species.transform("std")).to_numpy()
    male = (penguins["sex"] == "male").to_numpy(dtype=float)

    random = np.random.default_rng(CONFIG["seed"])
    estimates = np.empty((CONFIG["resamples"], len(MEASUREMENTS)))
    for estimate in estimates:
        drawn = random.integers(len(male), size=len(male))
        estimate[:] = logistic_regression(features[drawn], male[drawn], CONFIG["ridge"])

    coefficients = pd.DataFrame(
        {
            "estimate": logistic_regression(features, male, CONFIG["ridge"]),
            "low": np.quantile(estimates, 0.025, axis=0),
            "high": np.quantile(estimates, 0.975, axis=0),
        },
        index=pd.Index(MEASUREMENTS, name="measurement"),
    )
    right = (features @ coefficients["estimate"].to_numpy() > 0) == male
    outpath.mkdir()
    coefficients.to_csv(outpath / "coefficients.csv")
    (outpath / "metrics.json").write_text(json.dumps({"penguins": len(male), "accuracy": round(right.mean(), 4)}))


def logistic_regression(features, outcome, ridge):
    """Fit by Newton's method: seven steps reach the precision of the numbers."""
    weights = np.zeros(features.shape[1])
    for _ in range(7):
        probability = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (outcome - probability) - ridge * weights
        curvature = (features.T * (probability * (1 - probability))) @ features + ridge * np.eye(len(weights))
        weights += np.linalg.solve(curvature, gradient)
    return weights


@Artifact(keyword="outpath", allow_dirty=True)
def draw(model, outpath):
    """Draw each coefficient with the range that holds 95 % of the resamples."""
    coefficients = pd.read_csv(model / "coefficients.csv", index_col="measurement")[::-1]
    metrics = json.loads((model / "metrics.json").read_text())

    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.axvline(0, color="0.7", linewidth=1)
    axes.hlines(coefficients.index, coefficients["low"], coefficients["high"], color="tab:blue", linewidth=3)
    axes.plot(coefficients["estimate"], coefficients.index, "o", color="tab:blue")
    axes.margins(y=0.15)
    axes.set_xlabel("change of the log odds of being male, per standard deviation")
    axes.set_title(f"Told apart: {metrics['accuracy']:.0%} of {metrics['penguins']} penguins")
    figure.savefig(outpath)
    plt.close(figure)


def main():
    """Run the three steps; what is made or reused, and the seconds, come from the library's log."""
    parser = argparse.ArgumentParser()
    for name, value in CONFIG.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    CONFIG.update(vars(parser.parse_args()))  # read at each call: what it holds then counts
    show_log()

    table = clean(HERE / "penguins.csv", outpath=OUTPUT / "penguins.csv")
    model = fit(table, outpath=OUTPUT / "model")
    figure = draw(model, outpath=OUTPUT / "figure.png")
    print(f"The figure: {figure}")


if __name__ == "__main__":
    main()
