"""The saved prediction of asked rows in; how far each row lies from it, by dating, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.weighted_draws import quantile
from attribution.finding import SURE, Finding, verdict_of
from attribution.sampling import engine
from attribution.sampling.diagnostics import PARETO_K, mean_with_error, weight_size

# Draws of one quantity and their log weights in; its moments and Monte Carlo error out.

EQUAL = 1e-4
"""Range of log weights within which there is no tail to smooth, and no printed digit moves."""


@dataclass(frozen=True)
class Weighted:
    """Smoothed weights (chain, draw) of mean one, and the k of their tail."""

    weight: np.ndarray
    pareto_k: float

    @classmethod
    def of(cls, log_weight: np.ndarray) -> Weighted:
        """Smooth log weights (chain, draw); equal ones stay equal."""
        if np.ptp(log_weight) < EQUAL:
            return cls(np.ones(np.shape(log_weight)), -np.inf)
        smoothed, k = engine.psis(log_weight)
        return cls(np.exp(smoothed), k)

    @property
    def shown_k(self) -> float:
        """The k of the tail for a table: not a number where equal weights have no tail."""
        return self.pareto_k if np.isfinite(self.pareto_k) else float("nan")

    @property
    def size(self) -> float:
        """Number of equally weighted draws that they are worth."""
        return weight_size(self.weight)

    def mean(self, x: np.ndarray) -> float:
        """Weighted mean of (chain, draw)."""
        return float(np.average(x, weights=self.weight))

    def sd(self, x: np.ndarray) -> float:
        """Weighted standard deviation of (chain, draw)."""
        return float(np.sqrt(np.average((x - self.mean(x)) ** 2, weights=self.weight)))

    def error(self, x: np.ndarray) -> float:
        """Monte Carlo standard error of the mean; zero for a constant."""
        return mean_with_error(x, self.weight)[1]

    def quantiles(self, x: np.ndarray, probability: tuple[float, ...]) -> list[float]:
        """Weighted quantiles of (chain, draw)."""
        found = quantile(x.ravel(), self.weight.ravel(), np.array(probability))
        return [float(value) for value in found]


EVERY = "every fund"
BREADTH = "funds with a creation"
BEFORE = "/weighted/predictive"
"""Group of the predictions before their draws were made to weigh the same."""


@dataclass(frozen=True)
class AskedDay:
    """The prediction of one day's rows, read from a saved run.

    Attributes
    ----------
    predicted : what is predicted of that day, before draws were resampled.
    weighted : weights of the draws; where they were resampled, how often each was taken.
    focus : the fund that is asked about; ``day`` as a text.
    """

    predicted: xr.Dataset
    weighted: Weighted
    focus: str
    day: str

    @property
    def held_out(self) -> bool:
        """Whether the day was kept from the estimation."""
        return bool(self.predicted["held_out"])

    def tilted(self, log_factor: np.ndarray) -> Weighted:
        """Return the weights (chain, draw) times a factor, smoothed; one leaves them."""
        log_weight = self.predicted["log_weight"].transpose("chain", "draw").to_numpy()
        plain, other = Weighted.of(log_weight), Weighted.of(log_weight + log_factor)
        taken = self.weighted.weight > 0
        ratio = np.divide(other.weight, plain.weight, out=np.zeros(taken.shape), where=taken)
        return replace(other, weight=self.weighted.weight * ratio)

    @property
    def readings(self) -> list[str]:
        """How the rows of the focus are read."""
        return [str(name) for name in self.predicted["convention"].to_numpy()]

    def chance(self, of: str) -> np.ndarray:
        """Probability (chain, draw) that the focus's row holds the previous day, both, or halves.

        Runs saved before rows could hold halves have none.
        """
        name = f"{of}_probability"
        if name not in self.predicted:
            return np.zeros(self.weighted.weight.shape)
        found = self.predicted[name].sel(fund=self.focus)
        return np.asarray(found.transpose("chain", "draw").to_numpy())

    def published(self, subject: str) -> float:
        """Return what was published of a fund, of all together, or the count that created."""
        rows = self.predicted["published"].to_numpy()
        if subject == EVERY:
            return float(np.nansum(rows))
        if subject == BREADTH:
            return float((rows > 0).sum())
        return float(self.predicted["published"].sel(fund=subject))

    def draws(self, subject: str, reading: str) -> np.ndarray:
        """Draws (chain, draw) of a subject; the focus is read so, other funds as they may be."""
        flow = self.predicted["flow"].transpose("chain", "draw", "fund", "convention")
        focus = flow.sel(fund=self.focus, convention=reading).to_numpy()
        if subject == self.focus:
            return np.asarray(focus)
        there = np.isfinite(self.predicted["published"].to_numpy())
        others = flow.sel(convention="averaged").to_numpy()[:, :, there]
        names = self.predicted["fund"].to_numpy()[there]
        others = others[:, :, names != self.focus]
        if subject == EVERY:
            return np.asarray(focus + others.sum(axis=2))
        return np.asarray((focus > 0).astype(float) + (others > 0).sum(axis=2))

    def at_least(self, subject: str, reading: str) -> np.ndarray:
        """Probability (chain, draw) of at least the published value; of the focus it is exact."""
        if subject == self.focus:
            found = self.predicted["at_least_published"].sel(fund=subject, convention=reading)
            return np.asarray(found.transpose("chain", "draw").to_numpy())
        return (self.draws(subject, reading) >= self.published(subject) - 1e-9).astype(float)


def asked_days(tree: xr.DataTree) -> list[AskedDay]:
    """Return every asked day of a saved run."""
    data = tree[BEFORE if BEFORE in tree.groups else "predictive"].to_dataset()
    focus = str(data.attrs["focus"])
    found = []
    for day in data["day"].to_numpy():
        one = data.sel(day=day)
        weight = Weighted.of(one["log_weight"].transpose("chain", "draw").to_numpy())
        if "copies" in one:
            copies = one["copies"].transpose("chain", "draw").to_numpy().astype(float)
            weight = replace(weight, weight=copies)
        found.append(AskedDay(one, weight, focus, str(pd.Timestamp(day).date())))
    return found


def tail_table(days: list[AskedDay]) -> pd.DataFrame:
    """Lay out, for each day, subject and reading, the published value and what was predicted.

    ``at_least`` is the probability of at least the published value, ``error`` its Monte Carlo
    error; values are USD million, counts for the breadth.
    """
    rows = {}
    for day in days:
        for subject in (day.focus, EVERY, BREADTH):
            for reading in day.readings:
                draws, tail = day.draws(subject, reading), day.at_least(subject, reading)
                low, middle, high = day.weighted.quantiles(draws, (0.05, 0.5, 0.95))
                rows[f"{day.day}, {subject}, {reading}"] = {
                    "published": day.published(subject),
                    "median": middle,
                    "q05": low,
                    "q95": high,
                    "at_least": day.weighted.mean(tail),
                    "error": day.weighted.error(tail),
                    "out_of_sample": "yes" if day.held_out else "by weights",
                    "pareto_k": day.weighted.shown_k,
                }
    return pd.DataFrame.from_dict(rows, orient="index")


def share_of_all(day: AskedDay, flow: np.ndarray) -> np.ndarray:
    """Flow of the focus over the sum of absolute flows (..., fund); zero where nothing flows."""
    at = list(day.predicted["fund"].to_numpy()).index(day.focus)
    total = np.abs(np.nan_to_num(flow)).sum(axis=-1)
    found: np.ndarray = np.divide(
        flow[..., at], total, out=np.zeros(total.shape), where=total > 0.0
    )
    return found


# The saved prediction of asked rows in; what other prior weights of the dating make of it out.

PRIORS = {
    "equal thirds": (1 / 3, 1 / 3, 1 / 6, 1 / 6),
    "no switch, half and half": (1 / 2, 1 / 2, 0.0, 0.0),
    "a switch for sure": (0.0, 0.0, 1 / 2, 1 / 2),
    "the previous day for sure": (0.0, 1.0, 0.0, 0.0),
    "the same day for sure": (1.0, 0.0, 0.0, 0.0),
}
"""Prior probabilities of same day, previous day and the two switches, of the focus alone."""

SHAPES = {"sudden": 0.0, "gradual": 1.0}
"""Share of gradual switches under each shape of the focus's change alone."""
EITHER = "either, by probability"


def under_priors(days: list[AskedDay], prior: np.ndarray) -> pd.DataFrame:
    """Answer again under other prior weights of the focus's dating, exactly, by reweighting.

    A draw's likelihood is a sum over conventions, so that changing their weights multiplies it by
    a known factor.  Other funds keep the prior of the run, and so does the share of switches that
    are gradual.

    Parameters
    ----------
    prior : (convention,), probabilities of the run; six where some switches are gradual.
    """
    rows = {}
    for day in days:
        for name, weights in PRIORS.items():
            found = _under(day, prior, _shaped(np.asarray(weights), prior, _gradual(prior)))
            if found is not None:
                rows[f"{day.day}, {name}"] = found
    return pd.DataFrame.from_dict(rows, orient="index")


def under_shapes(days: list[AskedDay], prior: np.ndarray) -> pd.DataFrame:
    """Answer again where every change of the focus's dating is sudden, gradual, or either.

    ``probability`` is that of the shape, given that there was a change; ``at_least`` of "either"
    is the answer of the run.  Empty where the prior of the run knows one shape alone.
    """
    rows: dict[str, dict[str, float | str]] = {}
    share = _gradual(prior)
    if not 0.0 < share < 1.0:
        return pd.DataFrame()
    plain = prior[:4] + np.append([0.0, 0.0], prior[4:])
    for day in days:
        chance = {"gradual": day.weighted.mean(_slow(day)), EITHER: 1.0}
        chance["sudden"] = 1.0 - chance["gradual"]
        for name, wanted in (SHAPES | {EITHER: share}).items():
            found = _under(day, prior, _shaped(plain, prior, wanted))
            if found is not None:
                rows[f"{day.day}, {name}"] = {"probability": chance[name], **found}
    return pd.DataFrame.from_dict(rows, orient="index")


def _gradual(prior: np.ndarray) -> float:
    """Share of the weight of switches that is of gradual ones."""
    return float(prior[4:].sum() / max(prior[2:].sum(), 1e-300))


def _shaped(weights: np.ndarray, prior: np.ndarray, gradual: float) -> np.ndarray:
    """Split the weights of the two switches by shape, where the prior of the run does."""
    if len(prior) == len(weights):
        return weights
    return np.concatenate([weights[:2], (1.0 - gradual) * weights[2:], gradual * weights[2:]])


def _under(day: AskedDay, prior: np.ndarray, wanted: np.ndarray) -> dict[str, float | str] | None:
    """Answer for one day under other probabilities; none where the draws do not know of them."""
    if (wanted[prior == 0.0] > 0.0).any():
        return None
    factor = np.divide(wanted, prior, out=np.zeros(len(prior)), where=prior > 0.0)
    mass = _draws(day, "focus_path") @ factor
    if not (mass > 0.0).all():
        return None
    chance = (_draws(day, "focus_path_and_previous_day") @ factor) / mass
    answer = (_draws(day, "focus_path_and_at_least_published") @ factor) / mass
    weighted = day.tilted(np.log(mass))
    return {
        "previous_day": weighted.mean(chance),
        "at_least": weighted.mean(answer),
        "error": weighted.error(answer),
        "effective_draws": weighted.size,
        "pareto_k": weighted.shown_k,
        "reliable": "yes" if weighted.pareto_k <= PARETO_K else "no",
    }


def shape_finding(days: list[AskedDay], table: pd.DataFrame) -> Iterator[Finding]:
    """Say whether the focus's change was gradual, and what each shape makes of held-out rows."""
    if table.empty:
        return
    day = next((day for day in days if day.held_out), days[0])
    share, rows = _slow(day), table.to_dict("index")
    said = []
    for each in (each for each in days if each.held_out):
        parts = [
            f"{rows[row]['at_least']:.3f} {name}"
            if rows[row]["reliable"] == "yes"
            else f"too few draws {name}"
            for name in (*SHAPES, EITHER)
            if (row := f"{each.day}, {name}") in rows
        ]
        said.append(f"row of {each.day}: {', '.join(parts)}")
    yield Finding.by_chance(
        name="adoption",
        question=f"If the {day.focus} rows changed the day that they stand for, was it gradual?",
        evidence=(
            f"probability {day.weighted.mean(share):.3f}; probability of at least the published row"
            f" by the shape of the change: {'; '.join(said)}"
        ),
        probability=day.weighted.mean(share),
        error=day.weighted.error(share),
    )


def _slow(day: AskedDay) -> np.ndarray:
    """Draws whose mean is the probability that a change was gradual, given that there was one."""
    path = _draws(day, "focus_path")
    change = day.weighted.mean(path[..., 2:].sum(axis=-1))
    return np.asarray(path[..., 4:].sum(axis=-1) / max(change, 1e-300))


def _draws(day: AskedDay, name: str) -> np.ndarray:
    return np.asarray(day.predicted[name].transpose("chain", "draw", "path").to_numpy())


# A saved run of kind ``flows`` in; what it says of the dating of the focus's rows out.

SURPRISE = 1.0 - SURE
"""Probability of at least the published row up to which it is called a surprise."""


def dating(tree: xr.DataTree, days: list[AskedDay]) -> Iterator[Finding]:
    """Did the focus's rows change what they stand for, and when; how are asked rows read."""
    focus = days[0].focus
    data = tree["dating"].to_dataset().sel(fund=focus)
    drawn = data["convention_probability"]
    chance = drawn.mean(("chain", "draw"))
    names = [str(name) for name in data["convention"].to_numpy()]
    either = drawn.sel(convention=names[2:]).sum("convention")
    switched, error = mean_with_error(either.transpose("chain", "draw").to_numpy())
    first, low, high = switch_days(data)
    yield Finding.by_chance(
        name="switch",
        question=f"Did the rows of {focus} change the day that they stand for?",
        evidence=(
            "probability "
            + ", ".join(f"{float(chance.sel(convention=name)):.3f} {name}" for name in names)
            + f"; if there was a switch, its first row is {first} ({low} to {high} at 90 %)"
        ),
        probability=switched,
        error=error,
    )
    for day in (day for day in days if day.held_out):
        x = day.chance("previous_day")
        previous, error = day.weighted.mean(x), day.weighted.error(x)
        two, half = (day.weighted.mean(day.chance(of)) for of in ("both_days", "half_days"))
        yield Finding.by_chance(
            name=f"reading {day.day}",
            question=f"Does the {focus} row of {day.day} answer the day before?",
            evidence=(
                f"probability {previous:.3f} (Monte Carlo error {error:.3f}), and"
                f" {two:.3f} that it answers both days, the first row after a switch,"
                f" {half:.3f} that it holds half of a day's orders, a change being gradual, by how"
                " other rows are dated; the row itself does not enter"
            ),
            probability=previous,
            error=error,
        )


def switch_days(data: xr.Dataset) -> tuple[str, str, str]:
    """Median and 90 % interval of a fund's first row after a switch, given that there is one."""
    mass = data["switch"].sum("direction").to_numpy()
    total = mass.sum()
    if not total > 0.0:
        return "none", "none", "none"
    below = np.cumsum(mass) / total
    at = [int(np.searchsorted(below, p)) for p in (0.5, 0.05, 0.95)]
    days = pd.DatetimeIndex(data["time"].to_numpy())[np.minimum(at, len(mass) - 1)]
    first, low, high = (f"{day:%Y-%m-%d}" for day in days)
    return first, low, high


def prior_finding(tree: xr.DataTree, days: list[AskedDay], table: pd.DataFrame) -> Finding:
    """Say what of the dating's prior the answer hangs on, for the highest asked row."""
    held = [day for day in days if day.held_out] or days
    day = max(held, key=lambda each: each.published(each.focus))
    rows = {
        str(name).removeprefix(f"{day.day}, "): row
        for name, row in table.to_dict("index").items()
        if str(name).startswith(f"{day.day}, ") and row["reliable"] == "yes"
    }
    values = [float(row["at_least"]) for row in rows.values()]
    same, previous = (
        day.weighted.mean(day.at_least(day.focus, reading)) for reading in day.readings[:2]
    )
    return Finding(
        name="dating prior",
        question=(
            f"Would other prior weights of the dating make the {day.focus} row of {day.day} a"
            " surprise, one that the model gives a tenth or less?"
        ),
        evidence=(
            f"at least the published row had probability {min(values):.3f} to {max(values):.3f}"
            f" under {', '.join(rows)}; {_needed(same, previous)}; {_odds(tree, day.focus)}"
        ),
        verdict=verdict_of(float(min(values) <= SURPRISE)),
    )


def _needed(same: float, previous: float) -> str:
    """Say how probable the previous day's reading must be for a surprise."""
    if max(same, previous) <= SURPRISE:
        return "it is a surprise under either reading"
    if min(same, previous) > SURPRISE:
        return "it is none under either reading"
    share = (same - SURPRISE) / (same - previous)
    side = "above" if previous < same else "below"
    return f"it is a surprise where the previous day's reading has a probability {side} {share:.2f}"


def _odds(tree: xr.DataTree, focus: str) -> str:
    """Say how much the fitted rows favour a switch over the previous day throughout."""
    data = tree["dating"].to_dataset().sel(fund=focus)
    prior = np.asarray(tree["predictive"].attrs["prior"], float)
    chance = data["convention_probability"].mean(("chain", "draw")).to_numpy()
    if not (prior[1] > 0.0 and prior[2:].sum() > 0.0):
        return "the prior of the run leaves no choice"
    factor = np.divide(chance[2:].sum() / prior[2:].sum(), max(chance[1], 1e-300) / prior[1])
    return (
        "the fitted rows favour a switch over the previous day throughout by a factor of about"
        f" 10^{np.log10(factor):.0f}"
    )
