"""Outcomes by coalition of mechanisms in; what each mechanism contributes, by several rules, out.

The engine knows no model and serves any simulator with switches::

    from attribution import allocate

    def fall(on):                                   # (coalition, player), bool -> (draw, coalition)
        shock, gain = -4.0 * on[:, 0] - 1.5 * on[:, 1], 0.25 * on[:, 2] + 0.2 * on[:, 3]
        return (shock / (1.0 - gain))[None]

    game = allocate.coalitions(fall, ["factor", "basis", "gamma", "liquidation"], unit="pp")
    allocate.but_for(game).table()
    allocate.triggers_first(game, [["factor", "basis"], ["gamma", "liquidation"]]).table()
"""

from __future__ import annotations

from attribution.allocate.allocation import RULES, Allocation
from attribution.allocate.coalitions import Coalitions, merged
from attribution.allocate.given import coalitions_named, coalitions_of
from attribution.allocate.interactions import (
    Interactions,
    interaction,
    interaction_share,
    pair_interactions,
    shapley_taylor,
)
from attribution.allocate.orders import Orders, every_order, grouped, staged
from attribution.allocate.path import aumann_shapley
from attribution.allocate.rules import (
    OrderRange,
    Without,
    averaged,
    but_for,
    order_range,
    owen,
    shapley,
    stand_alone,
    triggers_first,
    without,
)
from attribution.allocate.simulate import Simulate, coalitions, one_at_a_time, sampled_orders

__all__ = [
    "RULES",
    "Allocation",
    "Coalitions",
    "Interactions",
    "OrderRange",
    "Orders",
    "Simulate",
    "Without",
    "aumann_shapley",
    "averaged",
    "but_for",
    "coalitions",
    "coalitions_named",
    "coalitions_of",
    "every_order",
    "grouped",
    "interaction",
    "interaction_share",
    "merged",
    "one_at_a_time",
    "order_range",
    "owen",
    "pair_interactions",
    "sampled_orders",
    "shapley",
    "shapley_taylor",
    "staged",
    "stand_alone",
    "triggers_first",
    "without",
]
