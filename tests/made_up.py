"""A toy system and toy rows: what tests of several folders ask about."""

import numpy as np
import pandas as pd

from attribution.model.spec import Event, ModelSpec, Sample, System


def system(variables, time, *, lags, constant=True, **changes):
    """A structural VAR of these variables over these days, about the first of them."""
    plain = {
        "name": "toy",
        "kind": "svar",
        "title": "",
        "references": (),
        "sample": Sample("none", time[0].date(), time[-1].date()),
        "event": Event("none", variables[0], ()),
        "system": System(variables, lags, constant=constant),
    }
    return ModelSpec(**(plain | changes))


def noise(days, seed):
    """Rows of x, y and z, standard normal."""
    drawn = np.random.default_rng(seed).normal(size=(len(days), 3))
    return pd.DataFrame(drawn, days, ["x", "y", "z"])
