"""The mechanisms' sections of a model of a day: TOML tables in, typed priors out."""

from __future__ import annotations

from attribution.model.event_priors import (
    GAMMA_DAYS,
    LAWS,
    BasisPrior,
    Beta,
    GammaPrior,
    ImpactLaws,
    Law,
    LiquidationPrior,
    LogNormal,
    Normal,
    NotesPrior,
    Puts,
    Reported,
)
from attribution.model.faults import each, refuse
from attribution.model.grammar import Table


def impact_of(table: Table) -> ImpactLaws:
    """Read the laws of impact and what they are scaled by."""
    table.known(ImpactLaws.__dataclass_fields__)
    return ImpactLaws(
        laws=_laws(table.sub("laws", required=True)),
        exponent=normal(table, "exponent"),
        crossover=table.number("crossover", above=0),
        volume=table.text("volume"),
        volume_multiple=table.number("volume_multiple", above=0),
        window=table.integer("window", at_least=1),
        supply=table.number("supply", above=0),
    )


def _laws(table: Table) -> tuple[Law, ...]:
    table.known(LAWS)
    if not table.values:
        refuse(f"{table.place}: no law; name at least one of {', '.join(LAWS)}")
    rows = [
        (name, table.sub(name).known(("weight", "median", "sd")))
        for name in LAWS
        if name in table.values
    ]
    weights = [row.number("weight", above=0) for _, row in rows]
    return tuple(
        Law(
            name,
            weight / sum(weights),
            LogNormal(row.number("median", above=0), row.number("sd", above=0)),
        )
        for (name, row), weight in zip(rows, weights, strict=True)
    )


def liquidations_of(table: Table) -> LiquidationPrior:
    """Read what a move closes by force."""
    table.known(LiquidationPrior.__dataclass_fields__)
    reported = each(table.many("reported"), _reported)
    if len({one.day for one in reported}) != len(reported):
        refuse(f"{table.place}: two [[reported]] share a day; keep one")
    return LiquidationPrior(
        longs=table.text("longs"),
        shorts=table.text("shorts"),
        open_interest=table.text("open_interest"),
        funding=table.text("funding"),
        carry=table.integer("carry", 0),
        reference=table.number("reference", above=0),
        level=normal(table, "level"),
        base=lognormal(table, "base"),
        power=lognormal(table, "power"),
        spread=lognormal(table, "spread"),
        funding_effect=table.number("funding_effect", above=0),
        multiple=lognormal(table, "multiple"),
        absorbed=_chance(table, "absorbed"),
        edge=table.number("edge", above=0),
        reported=reported,
    )


def _chance(table: Table, key: str) -> float:
    value = table.number(key)
    if not 0.0 <= value < 1.0:
        refuse(f"{table.place}: {key} = {value:g} is no probability from 0 to below 1; correct it")
    return value


def _reported(table: Table) -> Reported:
    table.known(Reported.__dataclass_fields__)
    return Reported(
        table.day("day"),
        table.number("longs", above=0),
        table.number("shorts", above=0),
        table.text("source"),
    )


def gamma_of(table: Table) -> GammaPrior:
    """Read the latent book of listed options."""
    table.known(GammaPrior.__dataclass_fields__)
    found = GammaPrior(
        gross=lognormal(table, "gross"),
        none=table.number("none"),
        all=table.number("all"),
        position=beta(table, "position"),
        width=lognormal(table, "width"),
        days=table.choice("days", GAMMA_DAYS),
    )
    if found.none == found.all or max(abs(found.none), abs(found.all)) > 1.0:
        refuse(
            f"{table.place}: dealers' position runs from {found.none:g} to {found.all:g}; give two"
            " different numbers from -1 to 1"
        )
    return found


def notes_of(table: Table) -> NotesPrior:
    """Read what is believed of structured notes."""
    table.known(NotesPrior.__dataclass_fields__)
    return NotesPrior(
        records=table.text("records"),
        closes=table.text("closes"),
        face=lognormal(table, "face"),
        overlay=beta(table, "overlay"),
        pass_through=lognormal(table, "pass_through"),
        watched=watched(table),
        long_vol=table.number("long_vol", above=0),
        puts=_puts(table.sub("puts", required=True)),
    )


def _puts(table: Table) -> Puts:
    table.known(Puts.__dataclass_fields__)
    found = Puts(
        table.pair("strike"), table.pair("tenor"), table.number("root_time", above=-1e-300)
    )
    if min(found.strike[0], found.tenor[0]) <= 0.0 or found.root_time > 1.0:
        refuse(
            f"{table.place}: a strike or a tenor is not above zero, or root_time above one; give"
            " fractions of the close, years and a probability"
        )
    return found


def basis_of(table: Table) -> BasisPrior:
    """Read the basis trade."""
    table.known(BasisPrior.__dataclass_fields__)
    creations = table.texts("creations")
    if not creations:
        refuse(f"{table.place}: creations names no column; name net creations of funds")
    return BasisPrior(
        basis=table.text("basis"),
        creations=creations,
        unwound=table.number("unwound", above=0),
        arbitrage=beta(table, "arbitrage"),
        leg_ratio=lognormal(table, "leg_ratio"),
        redeemed=beta(table, "redeemed"),
    )


def lognormal(table: Table, key: str) -> LogNormal:
    """Read a log-normal law."""
    law = table.sub(key, required=True).known(("median", "sd"))
    return LogNormal(law.number("median", above=0), law.number("sd", above=0))


def normal(table: Table, key: str) -> Normal:
    """Read a normal law."""
    law = table.sub(key, required=True).known(("mean", "sd"))
    return Normal(law.number("mean"), law.number("sd", above=0))


def beta(table: Table, key: str) -> Beta:
    """Read a beta law."""
    law = table.sub(key, required=True).known(("p", "q"))
    return Beta(law.number("p", above=0), law.number("q", above=0))


def watched(table: Table) -> tuple[float, float, float]:
    """Read the three probabilities of how a barrier is observed."""
    law = table.sub("watched", required=True).known(("maturity", "close", "continuous"))
    names = ("maturity", "close", "continuous")
    first, second, third = (law.number(name, above=-1e-300) for name in names)
    if abs(first + second + third - 1.0) > 1e-9:
        refuse(
            f"{law.place}: the probabilities sum to {first + second + third:g}; make them sum to 1"
        )
    return first, second, third
