"""A small made-up market: days, a surface of notes, and the shipped question about its days."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from attribution.model import read_model
from attribution.panel import Evidence
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.rows import event_rows

DAYS = 130


@pytest.fixture(scope="session")
def question():
    """The shipped question, about three days of the made-up market, whose moves are explained."""
    asked = read_model("event").question
    days = pd.bdate_range("2025-06-02", periods=DAYS).date
    forced = replace(asked.liquidations, reported=(), carry=60)
    return replace(
        asked,
        day=days[100],
        placebo=(days[40], days[101]),
        held_out=False,
        liquidations=forced,
    )


def frame_of(question, seed=3):
    """Raw columns as a data set holds them; liquidations end before the event."""
    rng = np.random.default_rng(seed)
    index = pd.DatetimeIndex(pd.bdate_range("2025-06-02", periods=DAYS), name="time")
    move = 0.02 * rng.standard_t(4, DAYS)
    move[[40, 100]] = -0.07, -0.13
    price = 1e5 * np.exp(np.cumsum(move))
    dvol = 45.0 * np.exp(0.1 * rng.standard_normal(DAYS))
    frame = pd.DataFrame({name: rng.standard_normal(DAYS) for name in question.columns}, index)
    forced = question.liquidations
    frame[question.outcome] = 100.0 * move
    frame[question.price] = price
    frame[question.scale] = np.r_[np.nan, np.log(dvol[:-1])]
    frame[question.volatility.column] = dvol
    frame[question.impact.volume] = 2e4 * np.exp(0.3 * rng.standard_normal(DAYS))
    frame[forced.open_interest] = 6e5 * price / 1e6 * np.exp(0.02 * rng.standard_normal(DAYS))
    frame[forced.longs] = 60.0 * np.exp(0.6 * rng.standard_normal(DAYS) - 15.0 * move)
    frame[forced.shorts] = 50.0 * np.exp(0.6 * rng.standard_normal(DAYS) + 15.0 * move)
    frame[question.basis.basis] *= 15.0
    for name in question.basis.creations:
        frame[name] *= 200.0
    frame[question.notes.closes] = price / 1750.0
    frame.loc[frame.index[40], forced.open_interest] *= 0.9  # what was closed fits in
    frame.iloc[80:, [frame.columns.get_loc(c) for c in
                     (forced.longs, forced.shorts, forced.open_interest)]] = np.nan  # fmt: skip
    frame.iloc[60, frame.columns.get_loc(question.basis.basis)] = np.nan
    return frame


def evidence_of(frame, tables=None):
    """Evidence as a study would be handed it."""
    return Evidence("made-up", frame, {}, "0", tables=tables or {})


@pytest.fixture
def frame(question):
    return frame_of(question)


@pytest.fixture(scope="session")
def evidence():
    """What makes evidence of a frame."""
    return evidence_of


@pytest.fixture(scope="session")
def rows(question):
    return event_rows(question, evidence_of(frame_of(question)), "made-up")


@pytest.fixture(scope="session")
def surface(rows):
    """Dealers who buy falls, more so further down, and puts that make them sell when vol rises."""
    return surface_for(len(rows.days))


def surface_for(days, begin=30):
    move = np.linspace(-0.5, 0.5, 41)
    vol, listed = np.linspace(-0.2, 0.3, 8), np.linspace(-0.5, 0.8, 9)
    scale = np.linspace(0.8, 1.2, 3)[:, None, None, None]
    lives = (np.arange(days) >= begin)[:, None, None]
    book = -0.5 * np.tanh(3.0 * move)[:, None] - 0.6 * vol
    puts = 0.9 * np.tanh(2.0 * move)[:, None] - 0.4 * listed
    return NoteSurface(move, vol, listed, scale * lives * book, scale * lives * puts)
