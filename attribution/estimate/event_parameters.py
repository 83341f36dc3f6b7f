"""The parameters of a structural model of one day and their priors.

What enters: a question, the days (whose sample sds scale nuisance priors) and a law of impact; what
leaves: their :class:`~attribution.estimate.event_layout.Layout`.
"""

from __future__ import annotations

import math

from attribution.estimate.event_layout import Entry, Layout
from attribution.estimate.event_rows import EventRows
from attribution.model.event_priors import Law, LogNormal, Normal
from attribution.model.event_study import EventQuestion

SIDES = ("long", "short")
POINT = 0.01
"""One log point, or one volatility point."""
DRIFT = LEVEL = 0.01
"""Prior sd of the mean of a day, log units: four daily standard errors over a year."""
NOISE = LogNormal(0.025, 0.5)
"""Scale of the unexplained, log units a day: bitcoin's sd, a factor of e either way."""
HETEROSCEDASTIC = Normal(1.0, 0.5)
"""Elasticity of that scale to implied volatility; one if options price it right."""
TAIL = LogNormal(4.0, 0.8)
"""Degrees of freedom less two: 95 % from 2.8 to 21 in all; daily returns have three to six."""
SPREAD = 0.7
"""Sd of the log scale of an equation about its column's sample sd."""


def layout(question: EventQuestion, rows: EventRows, law: Law) -> Layout:
    """Lay out the parameters of the model under one law of impact."""
    gamma, notes, basis = question.gamma, question.notes, question.basis
    entries = [
        *_price(question, rows, law),
        *_closed(question, rows),
        _positive("gross_gamma", gamma.gross),
        _positive("gamma_width", gamma.width),
        _positive("face", notes.face),
        _positive("pass_through", notes.pass_through),
        Entry("unwound", 0.0, basis.unwound, size=len(rows.named)),
        _positive("leg_ratio", basis.leg_ratio),
        *_answers(question, rows),
    ]
    shares = (
        ("dealer_position", gamma.position),
        ("overlay", notes.overlay),
        ("arbitrage", basis.arbitrage),
        ("redeemed", basis.redeemed),
    )
    return Layout(tuple(entries), shares, gamma.none, gamma.all)


def _positive(name: str, law: LogNormal, *, floor: float = 0.0) -> Entry:
    return Entry(name, math.log(law.median), law.sd, log=True, floor=floor)


def _price(question: EventQuestion, rows: EventRows, law: Law) -> list[Entry]:
    """Drift, drivers, noise and impact."""
    exponent = question.impact.exponent
    power = [Entry("exponent", exponent.mean, exponent.sd)] if law.name == "square_root" else []
    return [
        Entry("mu", 0.0, DRIFT),
        Entry("beta", 0.0, POINT * question.effect, size=len(rows.names)),
        Entry("s0", math.log(NOISE.median), NOISE.sd),
        Entry("s1", HETEROSCEDASTIC.mean, HETEROSCEDASTIC.sd),
        _positive("nu", TAIL, floor=2.0),
        Entry("log_impact", math.log(law.scale.median), law.scale.sd),
        *power,
    ]


def _closed(question: EventQuestion, rows: EventRows) -> list[Entry]:
    """Liquidations by side, and the shocks of named days on which none were published."""
    prior, found = question.liquidations, []
    for side in SIDES:
        found += [
            Entry(f"alpha_{side}", prior.level.mean, prior.level.sd),
            _positive(f"base_{side}", prior.base),
            _positive(f"power_{side}", prior.power),
            _positive(f"tau_{side}", prior.spread),
            Entry(f"funding_{side}", 0.0, prior.funding_effect),
        ]
        if len(rows.latent):
            found.append(Entry(f"zeta_{side}", 0.0, 1.0, size=len(rows.latent)))
    return [*found, _positive("liquidation_multiple", prior.multiple)]


def _answers(question: EventQuestion, rows: EventRows) -> list[Entry]:
    """Regressions of volatility, the basis and net creations."""
    units = rows.units
    per_point = POINT / units.move  # of a column's sd, for a move of one log point
    return [
        Entry("vol_intercept", 0.0, units.volatility),
        Entry("vol_down", 0.0, question.volatility.slope),
        Entry("vol_up", 0.0, question.volatility.slope),
        _positive("vol_sd", LogNormal(units.volatility, SPREAD)),
        _positive("vol_nu", TAIL, floor=2.0),
        Entry("basis_intercept", 0.0, units.basis),
        Entry("basis_move", 0.0, units.basis * per_point),
        _positive("basis_sd", LogNormal(units.basis, SPREAD)),
        _positive("basis_nu", TAIL, floor=2.0),
        Entry("creation_intercept", 0.0, units.creations),
        Entry("creation_move", 0.0, units.creations * per_point),
        Entry("creation_before", 0.0, units.creations * per_point),
        _positive("creation_sd", LogNormal(units.creations, SPREAD)),
        _positive("creation_nu", TAIL, floor=2.0),
    ]
