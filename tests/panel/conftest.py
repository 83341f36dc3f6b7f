"""A small data set of known prices, written afresh for each test, and a model that reads it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.model.spec import Event, Exposure, ModelSpec, Sample, System, Window
from attribution.panel.timeline import expected_days

CARD = """
schema = 1
title = "Toy"
file = "toy.csv"
layout = "series"
index = "date"
clock = "16:00 America/New_York"
calendar = "XNYS"
source = "made up"
vintage = "final"
refresh = "draw again"

[series.price]
unit = "USD"
magnitude = [1, 1000]

[series.share]
unit = "USD"

[series.basis]
unit = "percent a year"

[series.flow]
unit = "USD million"
repeats = true

[series.days]
unit = "days"
known_ahead = true

[columns.price_return]
transform = "log_change"
of = "price"
scale = 100
unit = "log points"

[columns.share_return]
transform = "log_change"
of = "share"
scale = 100
unit = "log points"

[columns.basis_change]
transform = "change"
of = "basis"
unit = "percentage points"

[columns.flow]
transform = "level"
of = "flow"
unit = "USD million"

[columns.lagged_basis]
transform = "level"
of = "basis"
lag = 1
unit = "percent a year"
"""
FIRST, LAST = date(2025, 9, 2), date(2026, 2, 13)


@pytest.fixture
def rows():
    """Text cells by day, as they stand in the file."""
    days = expected_days("XNYS", FIRST, LAST)
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 0.01, size=(len(days), 2))
    price, share = (np.exp(np.cumsum(steps, axis=0)) * [100, 40]).T
    return pd.DataFrame(
        {
            "date": days.strftime("%Y-%m-%d"),
            "price": np.char.mod("%.4f", price),
            "share": np.char.mod("%.4f", share),
            "basis": np.char.mod("%.3f", 6 + rng.normal(size=len(days))),
            "flow": np.char.mod("%.1f", rng.normal(0, 50, len(days))),
            "days": [str(25 - (i % 20)) for i in range(len(days))],
        }
    ).astype(object)


@pytest.fixture
def write(tmp_path):
    """Write the data and its card; return the folder."""

    def written(rows, *, card=CARD, name="toy", file=None):
        rows.to_csv(tmp_path / (file or f"{name}.csv"), index=False)
        (tmp_path / f"{name}.toml").write_text(card, encoding="utf-8")
        return tmp_path

    return written


@pytest.fixture
def card():
    """The text of the toy card, with replacements."""

    def changed(*pairs):
        text = CARD
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        return text

    return changed


@pytest.fixture
def spec():
    """Build a model that reads the toy data; keywords replace its parts."""

    def built(
        *,
        variables=("price_return", "share_return"),
        auxiliary=(),
        tests=(),
        exposures=(),
        lags=1,
        sample=(date(2025, 9, 8), date(2026, 2, 13)),
        window=(date(2026, 2, 4), date(2026, 2, 5)),
        hold_out=None,
        **changes,
    ):
        model = ModelSpec(
            name="toy_model",
            kind="bvar",
            title="Toy",
            references=(),
            sample=Sample("toy", *sample),
            event=Event("event", "price_return", (Window("crash", *window),), hold_out or window),
            system=System(tuple(variables), lags, auxiliary=auxiliary, tests=tests),
            exposures=tuple(Exposure("channel", column, "toy") for column in exposures),
        )
        return replace(model, **changes)

    return built


@pytest.fixture
def at():
    """Set one cell of the toy data by its date."""

    def changed(rows, day, column, value):
        found = rows.copy()
        found.loc[found["date"] == day, column] = value
        return found

    return changed
