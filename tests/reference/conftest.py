"""Published cases as a user runs them: a model file, a data card, and the public face."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import attribution as at

FOLDER = Path(__file__).resolve().parent


class Case:
    """A published case; its folder holds the model, the data, their card and the reference."""

    def __init__(self, name):
        self.folder = FOLDER / name
        self.expected = pd.read_csv(self.folder / "expected.csv").set_index("id")

    def model(self, stem):
        return at.read_model(str(self.folder / f"{stem}.toml"))

    def fit(self, model, **settings):
        spec = self.model(model) if isinstance(model, str) else model
        return at.fit(spec, data=self.folder, settings=at.Settings(**settings))

    def misses(self, found):
        """Numbers further from the reference than the tolerance stated there."""
        assert found
        out = {}
        for key, value in found.items():
            row = self.expected.loc[key]
            gap = abs(value - row["value"])
            if row["tol_kind"] == "rel":
                gap /= abs(row["value"])
            if not gap <= row["tolerance"]:
                out[key] = (float(value), float(row["value"]), float(row["tolerance"]))
        return out


@pytest.fixture(scope="session")
def case():
    return Case


class Draws:
    """Draws of a run, which weigh the same; ``size`` is what they are worth."""

    def __init__(self, run):
        self.tree = run.tree
        self.weight = np.ones(run.tree["weights/weight"].size)
        worth = [run.tree[g].attrs.get("effective_size") for g in ("posterior", "structural")
                 if g in run.tree]  # fmt: skip
        self.size = next((size for size in worth if size), self.weight.size)

    def flat(self, array):
        moved = array.transpose("chain", "draw", ...)
        return moved.to_numpy().reshape(-1, *moved.shape[2:])

    def quantile(self, values, level):
        order = np.argsort(values)
        total = np.cumsum(self.weight[order])
        return float(values[order][np.searchsorted(total, level * total[-1])])

    def mean(self, values):
        return float(np.average(values, weights=self.weight))

    def response(self, variable, horizon, channel):
        found = self.tree["responses/response"].sel(variable=variable, channel=channel)
        return self.flat(found.sel(horizon=horizon, drop=True))


@pytest.fixture(scope="session")
def draws():
    return Draws
