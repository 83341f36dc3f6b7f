"""Keywords of a fit: beside settings, in the words a desk writes them, or refused in a sentence."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.fit.settings import event_of, settings_of

DAY = date(2025, 10, 10)


def test_keywords_are_settings():
    given = {"draws": 2000, "seed": 1, "event_in": "in", "shocks": True, "cores": 2}
    assert settings_of(None, given) == at.Settings(**given)
    assert settings_of(None, {}) == settings_of(None) == at.Settings()


def test_keywords_beside_settings_add_to_them_or_say_the_same():
    both = settings_of(at.Settings(draws=400), {"seed": 2, "draws": 400})
    assert both == at.Settings(draws=400, seed=2)


def test_a_keyword_that_contradicts_the_settings_is_refused():
    with pytest.raises(at.SpecError) as refused:
        at.fit("var", settings=at.Settings(draws=400), draws=2000)
    assert str(refused.value) == "fit: draws = 2000 beside settings with draws = 400; say it once"


@pytest.mark.parametrize(
    ("name", "near"), [("drawz", "draws"), ("core", "cores"), ("evnt", "event"), ("date", "data")]
)
def test_an_unknown_keyword_is_refused_with_the_nearest(name, near):
    with pytest.raises(at.SpecError) as refused:
        at.fit("var", **{name: 2})
    assert str(refused.value) == f"fit: no keyword '{name}' (nearest: '{near}'); correct it"


def test_a_keyword_of_another_type_is_refused_as_in_settings():
    with pytest.raises(at.SpecError, match=r"^draws = 'many' is not a whole number"):
        at.fit("var", draws="many")


@pytest.mark.parametrize(
    "day",
    ["2025-10-10", DAY, datetime(2025, 10, 10), pd.Timestamp(DAY), np.datetime64("2025-10-10")],
    ids=lambda day: type(day).__name__,
)
def test_days_may_be_texts_dates_or_timestamps(day):
    assert event_of((day, day)) == event_of([day, day]) == (DAY, DAY)


def test_a_run_by_keywords_is_the_run_by_settings_to_the_bit(own):
    path = own / "mine.toml"
    by_settings = at.fit(str(path), data=str(own), settings=at.Settings(draws=1200, seed=4))
    by_keywords = at.fit(Path(path), data=Path(own), draws=1200, seed=4, cores=1)
    for node in by_settings.tree.subtree:
        assert node.to_dataset().identical(by_keywords.tree[node.path].to_dataset()), node.path
