"""The section [identification.signs] in; which way up ordered shocks are reported out."""

from __future__ import annotations

from attribution.errors import SpecError, nearest
from attribution.model.cell import horizons_of
from attribution.model.grammar import Table
from attribution.model.scheme import Sign
from attribution.model.spec import ModelSpec


def signs_of(table: Table) -> tuple[Sign, ...]:
    """Type every sign of a shock."""
    return tuple(_sign(table.sub(shock), shock) for shock in table.values)


def _sign(table: Table, shock: str) -> Sign:
    table.known(("variable", "sign", "horizons"))
    sign = table.choice("sign", ("+", "-"))
    first, last, long_run = horizons_of(table)
    if first != last:
        raise SpecError(
            f"{table.place}: horizons spans {first} to {last}, and the responses over them may"
            " differ in sign; give one horizon"
        )
    return Sign(shock, table.text("variable"), sign == "+", None if long_run else first)


def check_signs(spec: ModelSpec) -> None:
    """Refuse a sign of a shock or on a variable that the model lacks.

    Raises
    ------
    SpecError
        With the nearest name.
    """
    for sign in spec.scheme.signs:
        for name, known, what in (
            (sign.shock, spec.channels, "a shock"),
            (sign.variable, spec.system.variables, "a variable"),
        ):
            if name not in known:
                raise SpecError(
                    f"{spec.name}: [identification.signs] names '{name}', which is not {what} of"
                    f" the model{nearest(name, known)}; correct it"
                )
