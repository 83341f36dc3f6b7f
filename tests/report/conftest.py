"""A synthetic run and its summary tables: numbers of no market, in the form of a real run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attribution.report.cells import COLUMNS

CHANNELS = [
    *("factor_derisking", "basis_unwind", "barrier_hedging", "crypto_liquidation"),
    *("spot_selling", "macro_risk_off", "unattributed"),
]
VARIABLES = {
    "btc_return": "log points",
    "software_return": "log points",
    "implied_vol": "vol points",
    "funding_rate": "basis points",
    "etf_volume_share": "log points",
    "liquidations": "USD million",
}
WINDOWS = {
    "crash": ("2026-02-05", "2026-02-05"),
    "shock_crash": ("2026-02-04", "2026-02-05"),
    "round_trip": ("2026-02-04", "2026-02-06"),
}
OBSERVED = pd.Series([-3.1, -14.16, 9.53], pd.date_range("2026-02-04", "2026-02-06"))
CENTRE = np.array(
    [
        [-1.3, -0.1, -0.2, -0.4, -0.5, -0.3, -0.4],
        [-3.2, -0.6, -2.4, -3.1, -2.2, -0.7, -1.9],
        [0.4, 0.2, 1.9, 2.6, 1.4, 0.6, 2.3],
    ]
)
SUMMED = ("chain", "draw", "window", "channel")
COORDS = {"window": list(WINDOWS), "channel": CHANNELS}


def units(long_name):
    return {"units": "log points", "long_name": long_name}


def draws_of_days(rng, chains, draws):
    """Contributions (chain, draw, time, channel) and baseline that add up to the observed days."""
    spread = 0.15 + 0.35 * np.abs(CENTRE)
    contribution = CENTRE + spread * rng.standard_t(6, (chains, draws, 3, 7))
    baseline = 0.1 + 0.15 * rng.standard_normal((chains, draws, 3))
    contribution[..., -1] = OBSERVED.to_numpy() - baseline - contribution[..., :-1].sum(-1)
    return contribution, baseline


def in_window(name):
    first, last = WINDOWS[name]
    return np.asarray((OBSERVED.index >= first) & (OBSERVED.index <= last))


def window_groups(contribution, baseline):
    groups = {}
    for name in WINDOWS:
        inside = in_window(name)
        groups[f"/windows/{name}"] = xr.Dataset(
            {
                "contribution": (
                    ("chain", "draw", "time", "channel"),
                    contribution[:, :, inside],
                    units("contribution"),
                ),
                "baseline": (("chain", "draw", "time"), baseline[:, :, inside], units("baseline")),
                "observed": ("time", OBSERVED[inside], units("observed")),
            },
            {"time": OBSERVED.index[inside], "channel": CHANNELS},
        )
    return groups


def responses(rng, chains, draws):
    size = rng.normal(0, 1, (len(VARIABLES), 6)) * np.array([2, 1, 3, 8, 20, 400])[:, None]
    noise = rng.normal(1, 0.4, (chains, draws, 1, len(VARIABLES), 6))
    drawn = noise * 0.45 ** np.arange(8)[:, None, None] * size
    drawn = drawn + 0.1 * np.abs(size) * rng.normal(size=drawn.shape)
    dims = ("chain", "draw", "horizon", "variable", "channel")
    coords = {"horizon": np.arange(8), "variable": list(VARIABLES), "channel": CHANNELS[:-1]}
    coords["unit"] = ("variable", list(VARIABLES.values()))
    return xr.Dataset({"response": (dims, drawn)}, coords)


def robust_groups(summed):
    lower, upper = summed - 3.0, summed + 3.5
    strength = np.tile([0.61, 0.22, 0.48, 0.55, 0.12, 0.33, np.nan], (len(WINDOWS), 1))
    total = [OBSERVED[in_window(name)].sum() for name in WINDOWS]
    return {
        "/robust": xr.Dataset(
            {
                "lower": (SUMMED, lower, units("bound")),
                "upper": (SUMMED, upper, units("bound")),
                "identification_strength": (("window", "channel"), strength),
                "dilution": ("window", np.array(total) / 12, units("bound")),
            },
            COORDS,
        )
    }


def event_in_group(rng, summed):
    first = summed[:, :, 0, 0]
    tilt = np.stack([0.5 * (first - first.mean()), 0.2 * (first - first.mean()), 0 * first])
    return {
        "/event_in": xr.Dataset(
            {
                "log_weight": (("event_in", "chain", "draw"), tilt),
                "pareto_k": ("event_in", [0.78, 0.34, np.nan]),
            },
            {"event_in": ["out", "scale", "in"]},
        )
    }


def make_tree(*, model="bvar", weighted=False, chains=2, draws=400, seed=5):
    """Return a run with every group of its model."""
    rng = np.random.default_rng(seed)
    contribution, baseline = draws_of_days(rng, chains, draws)
    mask = np.array([in_window(name) for name in WINDOWS]).astype(float)
    summed = np.einsum("wt,cdtk->cdwk", mask, contribution)
    weight = np.exp(0.9 * summed[:, :, 0, 0]) if weighted else np.ones((chains, draws))
    expected = np.einsum("wt,cdt->cdw", mask, baseline)
    groups = {
        "/posterior": xr.Dataset(
            {
                "contribution": (SUMMED, summed, units("contribution")),
                "baseline": (SUMMED[:3], expected, units("baseline")),
            },
            COORDS,
        ),
        "/weights": xr.Dataset({"weight": (SUMMED[:2], weight / weight.mean())}),
        "/responses": responses(rng, chains, draws),
        **window_groups(contribution, baseline),
    }
    if model == "bvar":
        prior = rng.standard_t(4, (1500, len(WINDOWS), 7)) * 4 - 1
        prior = {"contribution": (("draw", *SUMMED[2:]), prior, units("prior"))}
        groups |= {"/prior": xr.Dataset(prior, COORDS), **event_in_group(rng, summed)}
    else:
        groups |= robust_groups(summed)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs |= {
        "model": model,
        "title": "A synthetic run <of no market>",
        "outcome": "btc_return",
        "outcome_unit": "log points",
        "event": "synthetic",
        "estimand": "S: shock attribution",
    }
    return tree


def summary_row(values, weight, observed):
    q = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), weights=weight, method="inverted_cdf")
    mean = weight @ values
    sd = np.sqrt(weight @ (values - mean) ** 2)
    size = 1 / np.sum(weight**2)
    negative = weight @ (values < 0)
    return dict(zip(("q05", "q25", "median", "q75", "q95"), q, strict=True)) | {
        "mean": mean,
        "sd": sd,
        "p_negative": negative,
        "share": mean / observed,
        "percent": mean * np.expm1(observed / 100) / (observed / 100),
        "mcse_mean": sd / np.sqrt(size),
        "mcse_median": 1.25 * sd / np.sqrt(size),
        "mcse_p_negative": np.sqrt(negative * (1 - negative) / size),
        "r_hat": 1.002,
        "ess_bulk": size,
        "ess_tail": 0.8 * size,
    }


def window_table(tree, window):
    """Stand in for the summary of the package: same rows, same columns."""
    weight = tree["weights"]["weight"].to_numpy().ravel()
    weight = weight / weight.sum()
    posterior = tree["posterior"].to_dataset().sel(window=window)
    draws = posterior["contribution"].to_numpy().reshape(-1, 7)
    observed = float(tree[f"windows/{window}/observed"].sum())
    rows = {n: summary_row(draws[:, i], weight, observed) for i, n in enumerate(CHANNELS)}
    largest = np.eye(6)[draws[:, :6].argmin(1)]
    grades = ["robust", "model-based", *["prior-driven"] * 4]
    for i, name in enumerate(CHANNELS[:6]):
        rows[name] |= {"p_largest": weight @ largest[:, i], "grade": grades[i]}
    rows["baseline"] = summary_row(posterior["baseline"].to_numpy().ravel(), weight, observed)
    rows["observed"] = {"mean": observed}
    if "/robust" in tree.groups:
        robust = tree["robust"].to_dataset().sel(window=window)
        for name in CHANNELS[:6]:
            one = robust.sel(channel=name)
            rows[name] |= {
                "robust_lower": float(one["lower"].mean()),
                "robust_upper": float(one["upper"].mean()),
                "identification_strength": float(one["identification_strength"]),
            }
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(COLUMNS))
    return table.assign(grade=table["grade"].fillna(""))


def make_manifest(model="bvar"):
    return {
        "model": model,
        "title": "A synthetic run <of no market>",
        "headline": "The data tell two channels apart & leave the rest to the prior.",
        "created": "2026-02-13T21:00:00Z",
        "seed": 5,
        "sampler": {"chains": 2, "draws": 400, "tune": 500, "target_accept": 0.95},
        "versions": {"attribution": "0.1.0", "python": "3.13", "pymc": "6.0"},
        "digests": {
            "data/daily.csv": "sha256:" + "0" * 64,
            "models/bvar.toml": "sha256:" + "1" * 64,
        },
        "checks": {"additivity": True, "r_hat": True, "prior_sensitivity": False},
        "findings": [
            {
                "name": "net_creation",
                "question": "Is the net creation at least as large as expected?",
                "evidence": "observed 230 USD million; predictive 5 to 95 %: \u2212410 to 260",
                "verdict": "undecided",
                "probability": 0.083,
            },
            {
                "name": "basis",
                "question": "Does the basis move as an unwind would move it?",
                "evidence": "sign agrees in 81 % of draws",
                "verdict": "holds",
                "probability": None,
            },
        ],
        "deviations": [
            {"what": "one more lag", "why": "residual autocorrelation", "effect": "0.1 log points"}
        ],
    }


@pytest.fixture(scope="session", params=["bvar", "bvar_signs"])
def any_run(request):
    return make_run(request.param)


def make_run(model="bvar", *, weighted=False):
    tree = make_tree(model=model, weighted=weighted)
    tables = {name: window_table(tree, name) for name in WINDOWS}
    return SimpleNamespace(tree=tree, tables=tables, manifest=make_manifest(model))


@pytest.fixture(scope="session")
def run():
    return make_run()


@pytest.fixture(scope="session")
def build():
    return make_run
