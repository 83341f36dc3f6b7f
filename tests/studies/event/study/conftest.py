"""Worlds that no market made, and a fit that no sampler made: draws of the prior stand in."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.mechanics.impact import Response
from attribution.panel import read_evidence
from attribution.studies.event.abduction import flat
from attribution.studies.event.fit import EventFit, LawFit
from attribution.studies.event.layout import layout
from attribution.studies.event.notes import NoteSurface
from attribution.studies.event.rows import event_rows
from attribution.studies.event.world import POINTS, World

NODES = np.unique(np.r_[np.linspace(-0.4, 0.4, 161), -0.142])


def made(draws=60, seed=0, *, exponent=1.0, observed=-0.142):
    """Three triggers and three amplifiers that end at the observed move in every draw."""
    rng = np.random.default_rng(seed)
    scale = 1e-5 if exponent == 1.0 else 1.2e-4
    law = Response(
        scale * rng.lognormal(0.0, 0.2, draws), np.full(draws, exponent), np.full(draws, 40.0)
    )
    longs = (np.maximum(-NODES, 0.0) / 0.1) ** 1.5
    flow = {
        "notes": 800.0 * rng.normal(0.2, 0.4, (draws, 1)) * NODES,
        "gamma": 20_000.0 * rng.uniform(-0.5, 1.0, (draws, 1)) * np.tanh(NODES / 0.15),
        "liquidations": -1_000.0 * rng.lognormal(0.0, 0.4, (draws, 1)) * longs,
    }
    push = np.zeros((draws, 6))
    push[:, 1], push[:, 3] = -rng.lognormal(5.0, 0.5, draws), rng.normal(0.0, 30.0, draws)
    shock = np.zeros((draws, 3))
    shock[:, 0] = rng.normal(-0.05, 0.01, draws)
    world = World(observed, ("factor", "basis", "rest"), shock, push, law, NODES, flow)
    rest = observed - law.move(world.trade(observed).sum(axis=1)) - shock.sum(axis=1)
    shock[:, 2] = rest
    return world


def toy_world():
    """The toy of a fall whose amplifiers start below a threshold, one draw.

    Selling is in log points and moves the price one for one: 3.6 of a factor, 2.4 of a basis trade,
    0.6 in options and 1.2 liquidated that no price set off, 0.24 of demand.  Then gamma sells
    0.25 max(0, -r - 4) and a cascade 0.27 max(0, -r - 3), so that x = 8.04 + 0.25 (x - 4) +
    0.27 (x - 3) for a fall of x: 6.23/0.48.
    """
    nodes = np.unique(np.r_[np.arange(-60.0, 60.5, 0.5), -6.23 / 0.48])
    shock = -np.array([[3.6, 2.4, 0.6, 1.2, 0.24]]) / POINTS
    below = {"gamma": (0.25, 4.0), "cascade": (0.27, 3.0)}
    flow = {
        name: -rate * np.maximum(0.0, -nodes - start)[None] / POINTS
        for name, (rate, start) in below.items()
    }
    names = ("factor", "basis", "options", "liquidations", "demand")
    law = Response(np.ones(1), np.ones(1))
    return World(-6.23 / 48.0, names, shock, np.zeros((1, 7)), law, nodes / POINTS, flow)


@dataclass
class Case:
    """A question, its days, and draws of the prior in the place of a posterior."""

    spec: object
    question: object
    rows: object
    surface: NoteSurface
    fit: EventFit
    words: list = field(default_factory=list)

    def drawn(self):
        laws = tuple(each.law for each in self.fit.laws)
        return flat(self.fit.draws, self.fit.law, laws, self.surface.scenarios)


def surface_of(days, rng, scenarios=5):
    """A surface with flows of both signs, nothing traded in the first half."""
    move, vol = np.linspace(-0.5, 0.5, 41), np.linspace(-0.2, 0.3, 11)
    listed = np.linspace(-0.4, 0.6, 11)
    live = (np.arange(days) > days // 2)[None, :, None, None]
    slope = rng.normal(0.2, 0.1, (scenarios, 1, 1, 1))
    book = live * (slope * move[:, None] - 0.3 * vol)
    overlay = live * (0.8 * move[:, None] - 0.3 * listed) * np.ones((scenarios, 1, 1, 1))
    return NoteSurface(move, vol, listed, book, overlay)


def case_of(draws=150, seed=0, weight=(0.4, 0.3, 0.2, 0.1)):
    rng = np.random.default_rng(seed)
    spec = at.read_model("event")
    question = spec.question
    rows = event_rows(question, read_evidence(spec, None), "model 'event'")
    surface = surface_of(len(rows.days), rng)
    laws = []
    for law in question.impact.laws:
        found = layout(question, rows, law).draw((4, draws), rng)
        # near the prior mean, so that few draws run away
        found["dealer_position"] = 0.5 * found["dealer_position"]
        found.setdefault("exponent", np.ones((4, draws)))
        chance = question.liquidations.absorbed
        found["absorbed"] = (rng.random((4, draws)) < chance).astype(int)
        laws.append(
            LawFit(
                law=law.name,
                draws=found,
                chance=np.full((4, draws), chance),
                log_evidence=0.0,
                evidence_error=0.01,
                stats={"diverging": np.zeros((4, draws))},
            )
        )
    which = rng.choice(4, (4, draws), p=weight)
    mixed = {}
    for name, first in laws[0].draws.items():
        stacked = np.stack([each.draws[name] for each in laws])
        index = which.reshape(1, 4, draws, *[1] * (first.ndim - 2))
        mixed[name] = np.take_along_axis(stacked, index, 0)[0]
    fit = EventFit(rows, surface, tuple(laws), np.array(weight), np.full(4, 0.01), mixed, which)
    return Case(spec, question, rows, surface, fit)


@pytest.fixture(scope="session")
def fabricated():
    return made


@pytest.fixture(scope="session")
def toy():
    return toy_world()


@pytest.fixture(scope="session")
def case():
    return case_of()


@pytest.fixture(scope="session")
def new_case():
    return case_of


@pytest.fixture(scope="session")
def whole_evidence(case):
    """Rows of the shipped question, and the clock at which each column is read."""
    return read_evidence(case.spec, None)


@pytest.fixture(scope="session")
def hours(whole_evidence, case):
    """Bars that no exchange recorded: from the eve's close to the day's, down and partly back."""

    def made(minutes=60, *, dip=0.03, seed=2):
        price = whole_evidence.rows[case.question.price]
        at = int(price.index.get_loc(pd.Timestamp(case.question.day)))
        step, day = pd.Timedelta(minutes=minutes), pd.Timedelta(hours=24)
        eve = pd.Timestamp("2026-02-04 21:00", tz="UTC")
        ends = pd.date_range(eve - step, eve + day + 2 * step, freq=step)
        part = np.clip((ends - eve) / day, 0.0, 1.0).to_numpy()
        rng = np.random.default_rng(seed)
        walk = 0.005 * np.sqrt(minutes / 60.0) * rng.standard_normal(len(ends)).cumsum()
        walk -= np.interp(part, [0.0, 1.0], walk[[1, -3]])
        log = part * np.log(price.iloc[at] / price.iloc[at - 1]) + walk * (part % 1.0 > 0.0)
        log -= dip * np.interp(part, [0.0, 0.9, 1.0], [0.0, 1.0, 0.0])
        close = price.iloc[at - 1] * np.exp(log)
        before = np.r_[close[0], close[:-1]]
        table = {
            "close": close,
            "low": 0.998 * np.minimum(close, before),
            "high": 1.002 * np.maximum(close, before),
        }
        return pd.DataFrame(table, index=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))

    return made
