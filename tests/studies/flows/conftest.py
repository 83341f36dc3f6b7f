"""A small panel of funds whose dating is known, and draws about the truth that made it."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from attribution.panel import Evidence
from attribution.studies.flows.dating import DatingPrior
from attribution.studies.flows.model import FlowFit
from attribution.studies.flows.question import FlowsQuestion
from attribution.studies.flows.rows import flow_data, flow_rows

DAYS, SWITCH = 150, 90
FUNDS = ("always same", "always previous", "switched")
UNITS = {"flow": "USD million", "move": "log points", "basis": "bp", "vol": "natural log"}


@dataclass(frozen=True)
class Truth:
    """What made the panel: per fund, in units of its scale, and the lag of every row."""

    scale: np.ndarray
    intercept: float
    persistence: float
    response: np.ndarray
    loading: np.ndarray
    demand: np.ndarray
    none: float
    tail: float
    lag: np.ndarray


def simulate(seed=3, days=DAYS, switch=SWITCH, sure=1.0):
    """Rows of three funds, indexed by fund and day, and their truth."""
    rng = np.random.default_rng(seed)
    move = 2.5 * rng.standard_t(5, days)
    basis, vol, demand = rng.normal(size=days), rng.normal(size=days), rng.standard_t(8, days)
    lag = np.array([[0] * days, [1] * days, [1] * switch + [0] * (days - switch)])
    truth = Truth(
        scale=np.array([60.0, 15.0, 120.0]),
        intercept=0.1,
        persistence=0.2,
        response=sure * np.array([0.25, 0.25, 0.1, -0.05, 0.2]),
        loading=np.array([0.8, 0.6, 0.7]),
        demand=demand,
        none=-2.0,
        tail=5.0,
        lag=lag,
    )
    before = np.append(0.0, move[:-1])
    design = np.stack(
        [np.minimum(move, 0), np.maximum(move, 0), before, np.maximum(-move - 5, 0), basis], -1
    )
    tidy = []
    for i, name in enumerate(FUNDS):
        flow = np.zeros(days)
        for t in range(1, days):
            turned = lag[i, t] < lag[i, t - 1]  # the orders of two days
            of = [t, t - 1] if turned else [t - lag[i, t]]
            mean = truth.persistence * flow[t - 1]
            for day in of:
                mean += truth.intercept + design[day] @ truth.response
                mean += truth.loading[i] * np.exp(0.2 * vol[day]) * demand[day]
            if rng.random() > 1 / (1 + np.exp(-truth.none)) ** len(of):
                size = 0.5 * np.sqrt(len(of)) * np.exp(0.2 * vol[of].mean())
                flow[t] = mean + size * rng.standard_t(truth.tail)
        index = pd.MultiIndex.from_product([[name], pd.bdate_range("2025-01-02", periods=days)])
        columns = {"flow": truth.scale[i] * flow, "move": move, "basis": basis, "vol": vol}
        tidy.append(pd.DataFrame(columns, index.set_names(["fund", "time"])))
    return pd.concat(tidy), truth


def question_for(rows, asked=(-40, -12, -11), hold_out=(-12, -11), **settings):
    """Ask about these rows, by position."""
    days = rows.index.get_level_values("time").unique().sort_values()
    picked: list[date] = [days[at].date() for at in asked]
    start, end = (days[at].date() for at in hold_out)
    return FlowsQuestion(
        **{
            "net_creation": "flow",
            "fund_return": "move",
            "focus": "switched",
            "hold_out": (start, end),
            "asked": tuple(picked),
            "benchmark": (-300.0, -100.0),
            "basis": "basis",
            "volatility": "vol",
        }
        | settings
    )


def evidence_of(rows):
    return Evidence("made up", rows.sort_index(), UNITS, "0" * 64)


def rows_of(rows, **settings):
    question = question_for(rows, **settings)
    return question, flow_rows(question, flow_data(question, evidence_of(rows)))


def about_the_truth(rows, truth, lead=(2, 100), seed=8, jitter=0.02):
    """Draws about the truth, in the units of the fitted rows, as a sampler would return them."""
    rng = np.random.default_rng(seed)
    count, order = lead[0] * lead[1], [FUNDS.index(name) for name in rows.data.funds]
    unit = truth.scale[order] / rows.size
    funds = len(order)
    response = truth.response[: len(rows.covariates)] / rows.per_unit * unit[:, None]

    def near(values):
        values = np.asarray(values, float)
        return values + jitter * rng.normal(size=(count, *values.shape))

    center = rows.data.covariates["vol"]
    slope = 0.2 * np.nanstd(center)
    log_scale = np.log(0.5 * unit) + 0.2 * np.nanmean(center)
    return FlowFit(
        rows=rows,
        prior=DatingPrior(),
        lead=lead,
        average=near(response.mean(0)),
        spread=np.abs(near(np.full(len(rows.covariates), 0.1))),
        intercept=near(truth.intercept * unit),
        persistence=near(np.full(funds, truth.persistence)),
        response=near(response),
        loading=np.exp(near(np.log(truth.loading[order] * unit * np.exp(0.2 * center.mean())))),
        log_scale=near(log_scale),
        activity=near([slope]),
        demand=near(truth.demand),
        none=near(np.full(funds, truth.none)),
        none_slope=near(np.zeros(funds)),
        tail=truth.tail + np.abs(near(np.zeros(funds))),
        demand_tail=8.0 + np.abs(near(0.0)),
        tree=None,
    )


@pytest.fixture(scope="session")
def panel():
    return simulate()


@pytest.fixture(scope="session")
def asked(panel):
    """The question, its rows, and draws about the truth."""
    question, rows = rows_of(panel[0])
    return question, rows, about_the_truth(rows, panel[1])


@pytest.fixture(scope="session")
def made():
    """The functions above, for tests that need other panels."""
    return {
        "simulate": simulate,
        "question": question_for,
        "evidence": evidence_of,
        "rows": rows_of,
        "draws": about_the_truth,
        "units": UNITS,
        "switch": SWITCH,
        "funds": FUNDS,
    }


@pytest.fixture(scope="session", params=[0.0, 0.5], ids=["sudden", "either shape"])
def shaped(asked, request):
    """The same with the share of switches that are gradual."""
    question, rows, fit = asked
    return question, rows, replace(fit, prior=DatingPrior(gradual=request.param))
