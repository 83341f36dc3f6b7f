"""Compiled claims in; the cones of impact columns that they are, or nothing, out."""

from __future__ import annotations

import numpy as np

from attribution.core.claim_rows import Line
from attribution.estimate.cones import Cones
from attribution.identify.claims import Claim, Claims
from attribution.model.restriction import Identification


def impact_cones(claims: Claims, table: Identification) -> Cones | None:
    """Return the cone of every channel's impact column, or None if the claims are no cones.

    A claim is one if it bounds responses on impact, whatever the size of the shock: a sign, or a
    bound per unit of a variable.
    """
    n = len(claims.variables)
    if not all(_homogeneous(claim, n) for claim in claims.claims):
        return None
    cells = tuple(cell for cell in table.cells if cell.variable in claims.variables)
    first = len(claims.claims) - len(cells)  # directions come first and are no cell's
    lines = [
        (line, max(number - first, -1))
        for number, claim in enumerate(claims.claims)
        for line in claim.parts
        if isinstance(line, Line)
    ]
    lines.sort(key=lambda pair: pair[0].channel)  # stable: in table order within a channel
    ends = np.cumsum(np.bincount([line.channel for line, _ in lines], minlength=len(table.names)))
    if (np.diff(ends, prepend=0) == 0).any():
        return None
    rows = np.zeros((len(lines), n))
    for row, (line, _) in zip(rows, lines, strict=True):
        row[line.at] += line.gain
        row[line.base] += line.base_gain
    return Cones(claims.channels, rows, ends, cells, np.array([owner for _, owner in lines]))


def _homogeneous(claim: Claim, n: int) -> bool:
    lines = [part for part in claim.parts if isinstance(part, Line)]
    plain = len(lines) == len(claim.parts) and not (claim.orders or claim.zeros)
    return plain and all(line.offset == 0 and max(line.functionals) < n for line in lines)
