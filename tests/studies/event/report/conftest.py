"""A run of kind event that no market made: a toy loop, solved coalition by coalition."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution import allocate, runs
from attribution.finding import Finding
from attribution.model.study import StudySample, StudySpec
from attribution.runs.run import Run, versions
from attribution.runs.study import of_draws

TRIGGERS, AMPLIFIERS = ("factor", "basis", "rest"), ("notes", "gamma", "liquidations")
PLAYERS = (*TRIGGERS, *AMPLIFIERS)
LAWS = ("square_root", "linear", "inelastic", "invariance")
WEIGHT = np.array([0.55, 0.3, 0.12, 0.03])
OBSERVED, UNIT, SHAPE = -14.2, "log points", (2, 400)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
WORDS = {
    "but_for": "M but-for",
    "stand_alone": "M stand-alone",
    "triggers_first": "M triggers-first",
    "shapley": "M Shapley",
}


@dataclass(frozen=True)
class Asked:
    columns: tuple = ("btc_return",)
    outcome: str = "btc_return"


def drawn(rng, size, scale=1.0):
    """Draw shocks and gains that together end at the observed move."""
    gain = np.stack(
        [
            0.05 * rng.lognormal(0.0, 0.7 * scale, size),
            rng.normal(0.04, 0.09 * scale, size),
            0.14 * rng.lognormal(0.0, 0.45 * scale, size),
        ],
        axis=1,
    ).clip(-0.4, 0.3)
    factor, basis = rng.normal(-4.0, 1.0 * scale, size), -rng.lognormal(-0.3, 0.6, size)
    rest = OBSERVED * (1.0 - gain.sum(1)) - factor - basis
    return np.stack([factor, basis, rest], axis=1), gain


def toy_game(shocks, gain):
    def move(on):
        return shocks @ on[:, :3].T / (1.0 - gain @ on[:, 3:].T)

    return allocate.coalitions(move, PLAYERS, unit=UNIT, observed=OBSERVED)


def allocations(game):
    return {
        "but_for": allocate.but_for(game).draws,
        "stand_alone": allocate.stand_alone(game).draws,
        "triggers_first": allocate.triggers_first(game, [TRIGGERS, AMPLIFIERS]).draws,
        "shapley": allocate.shapley(game).draws,
    }


def order_flow(shocks, gain):
    """Shocks, and each amplifier's own answer to the move."""
    return np.concatenate([shocks, gain * OBSERVED], axis=1)


def law_groups(rng):
    """Effects by law, each from draws of its own."""
    effects = [
        allocate.but_for(toy_game(*drawn(rng, 500, 1.0 + 0.25 * i))).draws * (1.0 - 0.2 * i)
        for i in range(len(LAWS))
    ]
    bands = np.array([np.quantile(each, QUANTILES, axis=0) for each in effects])
    data = xr.Dataset(
        {
            "mean": (("law", "player"), np.array([each.mean(0) for each in effects])),
            "q": (("law", "quantile", "player"), bands),
            "prior_weight": ("law", np.full(4, 0.25)),
            "weight": ("law", WEIGHT),
        },
        {"law": list(LAWS), "quantile": list(QUANTILES), "player": list(PLAYERS)},
    )
    return {"/laws": data}


def shape_groups(gain):
    """The curve of amplification, and what each mechanism trades."""
    shock = np.linspace(-20.0, 20.0, 81)
    total = gain.sum(1)[:, None] * np.where(shock < 0, 1.0, 0.45)
    looped = np.quantile(shock / (1.0 - total), QUANTILES, axis=0)
    curve = {
        "with_feedback": (("quantile", "shock"), looped),
        "without_feedback": (("quantile", "shock"), np.tile(shock, (5, 1))),
    }
    move = np.linspace(-25.0, 25.0, 101)
    sold = np.stack(
        [
            gain[:, :1] * 5e3 * np.tanh(move / 12.0),
            gain[:, 1:2] * 4e3 * np.tanh(move / 15.0),
            gain[:, 2:] * 2.5e3 * np.sign(move) * np.abs(move / 10.0) ** 1.3,
        ]
    )
    flow = np.moveaxis(np.quantile(sold, QUANTILES, axis=1), 0, -1)
    levels = {"quantile": list(QUANTILES)}
    return {
        "/curve": xr.Dataset(curve, {"shock": shock, **levels}),
        "/profile": xr.Dataset(
            {"flow": (("mechanism", "move", "quantile"), flow)},
            {"mechanism": list(AMPLIFIERS), "move": move, **levels},
        ),
    }


def steps_group(gain):
    """Six bars on the way to the observed move: gains add their share at each."""
    hours = np.array([4.0, 8.0, 12.0, 16.0, 20.0, 24.0])
    seen = OBSERVED * np.array([0.1, 0.35, 0.3, 0.7, 1.15, 1.0])
    low = np.minimum.accumulate(seen)  # of what answers the lowest move
    at = np.stack([seen, seen, low])
    added = gain.T[:, :, None] * at[:, None]
    dims = ("mechanism", "quantile", "step")

    def bands(draws):
        return np.moveaxis(np.quantile(draws, QUANTILES, axis=1), 0, 1)

    data = {
        "hours": ("step", hours),
        "observed": ("step", seen),
        "without": (dims, bands(seen - added)),
        "alone": (dims[1:], bands((seen - added.sum(axis=0))[None])[0]),
        "flow": (dims, bands(3e3 * added)),
    }
    coords = {"mechanism": list(AMPLIFIERS), "quantile": list(QUANTILES)}
    attrs = {"unit": UNIT, "zone": "America/New_York", "clock_difference": 0.123}
    return {"/steps": xr.Dataset(data, coords, attrs)}


def groups_of(rng):
    shocks, gain = drawn(rng, SHAPE[0] * SHAPE[1])
    game = toy_game(shocks, gain)
    parts = allocations(game)
    bounds = allocate.order_range(game, allocate.every_order(PLAYERS))
    prior = allocate.but_for(toy_game(*drawn(rng, 1500, 1.4))).draws
    names, each = {"player": list(PLAYERS)}, ("chain", "draw", "player")

    def on_chains(draws):
        return draws.reshape(*SHAPE, -1)

    rules = np.array([on_chains(part) for part in parts.values()])
    ends = {"low": (each, on_chains(bounds.low)), "high": (each, on_chains(bounds.high))}
    return {
        "/posterior": xr.Dataset({"law": (("chain", "draw"), rng.choice(4, SHAPE, p=WEIGHT))}),
        **runs.coalitions_group(game, SHAPE, TRIGGERS),
        "/allocation": xr.Dataset(
            {"contribution": (("rule", *each), rules)}, {"rule": list(parts), **names}
        ),
        "/order_range": xr.Dataset(ends, names),
        "/order_flow": xr.Dataset(
            {"contribution": (("chain", "draw", "part"), on_chains(order_flow(shocks, gain)))},
            {"part": list(PLAYERS)},
        ),
        "/prior": xr.Dataset({"but_for": (("draw", "player"), prior)}, names),
        **law_groups(rng),
        **shape_groups(gain),
        **steps_group(gain),
    }, parts


def answers(parts):
    rows = {
        f"{WORDS[rule]}: {name}": of_draws(f"{WORDS[rule]} effect", part[:, i], UNIT)
        for rule, part in parts.items()
        for i, name in enumerate(PLAYERS)
    }
    rows["alpha"] = of_draws("amplification factor", np.array([1.3, 1.4, 1.5]), "ratio")
    return pd.DataFrame.from_dict(rows, orient="index")


def make_run(seed=3):
    groups, parts = groups_of(np.random.default_rng(seed))
    laws = pd.DataFrame({"prior weight": 0.25, "posterior weight": WEIGHT}, index=list(LAWS))
    spec = StudySpec("event", "event", "A toy event", (), StudySample(), Asked())
    driven = ["yes" if name == "gamma" else "no" for name in PLAYERS]
    ledger = pd.DataFrame({"prior_driven": driven}, index=[f"but-for {name}" for name in PLAYERS])
    tables = {"answers": answers(parts), "laws": laws, "ledger": ledger}
    tree = runs.study_tree(groups, tables, spec, {"btc_return": UNIT})
    finding = Finding("single cause", "May one cause be named?", "Interaction 0.3.", "undecided")
    manifest = {
        "model": "event", "title": spec.title, "event": "", "seed": seed,
        "headline": "It fell by 14.2 log points.", "about": "What a loop adds.",
        "digests": {"model": "a", "data": "b"}, "versions": versions(), "diagnostics": {},
        "findings": [finding.record()],
    }  # fmt: skip
    return Run(tree, manifest)


@pytest.fixture(scope="session")
def toy_run():
    return make_run()


@pytest.fixture(scope="session")
def saved(toy_run, tmp_path_factory):
    """A folder that holds the run, without its report."""
    from attribution.report import deliver
    from attribution.report.run_tables import tables

    folder = tmp_path_factory.mktemp("runs") / "event"
    deliver.write_run(toy_run, tables(toy_run), folder, report=False)
    return folder
