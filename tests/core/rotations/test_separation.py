"""The linear programmes of an identification table, on the reference tables of six channels.

Elasticities are per 1 % by which the shock lowers bitcoin; ``+``, ``-`` are signs.
"""

from itertools import combinations, permutations

import numpy as np
import pytest

from attribution.core.rotations import separation as sep

INF = np.inf
SERIES = [
    "btc",
    "igv",
    "vix",
    "gold",
    "basis",
    "cme_oi",
    "bin_oi",
    "liq",
    "dvol",
    "iv_spread",
    "puts",
    "creations",
]
SIGN = {"+": (0, INF), "-": (-INF, 0)}

NAIVE = {
    "F": "igv- vix+",
    "B": "basis+ cme_oi-",
    "K": "dvol+ iv_spread+ puts+",
    "L": "bin_oi- liq+",
}
FULL = {
    "F": "igv- vix+ bin_oi- liq+ dvol+ creations-",
    "B": "basis+ cme_oi- creations-",
    "K": "dvol+ iv_spread+ puts+ creations+ liq+",
    "L": "basis- cme_oi- bin_oi- liq+ dvol+ iv_spread-",
    "D": "creations- liq+ bin_oi-",
    "M": "igv- vix+ gold- dvol+",
}
NATIVE = {"igv": (-0.15, 0.05), "vix": (-0.05, 0.15), "gold": (-0.15, 0.15)}
BOUNDS = {
    "F": {
        "gold": (-0.15, 0.15), "igv": (-INF, -0.4), "vix": (0.25, INF), "basis": (-0.6, 0.3),
        "cme_oi": (-0.9, 0.1), "bin_oi": (-1.2, 0), "iv_spread": (-0.3, 0.4),
        "creations": (-1.2, 0),
    },
    "B": {
        **NATIVE, "basis": (0.4, INF), "cme_oi": (-INF, -0.6), "bin_oi": (-0.3, 0.6),
        "iv_spread": (-0.3, 0.3), "liq": (-0.1, 0.6), "puts": (-0.2, 0.4),
    },
    "K": {
        **NATIVE, "iv_spread": (0.4, INF), "puts": (0.3, INF), "cme_oi": (-0.4, 0.4),
        "bin_oi": (-0.9, 0.3), "basis": (-0.3, 1.2), "liq": (-0.1, 0.8),
    },
    "L": {
        **NATIVE, "bin_oi": (-INF, -0.6), "liq": (0.35, INF), "creations": (-0.4, 0.2),
        "puts": (-0.2, 0.6),
    },
    "D": {
        **NATIVE, "basis": (-0.15, 0.5), "cme_oi": (-0.4, 0.2), "bin_oi": (-0.6, 0.1),
        "iv_spread": (-0.2, 0.2), "liq": (-0.1, 0.6), "puts": (-0.2, 0.4),
        "creations": (-INF, -0.3),
    },
    "M": {
        "gold": (-INF, -0.5), "basis": (-0.4, 0.4), "cme_oi": (-0.8, 0.4), "bin_oi": (-1.0, 0.2),
        "iv_spread": (-0.4, 0.5), "creations": (-0.8, 0.3), "liq": (-0.1, 0.7),
    },
}  # fmt: skip


def signs(table, channels):
    return {k: [(word[:-1], *SIGN[word[-1]]) for word in table[k].split()] for k in channels}


def bounds(channels="FBKLDM", drop=()):
    table = signs(FULL, channels)
    for k in channels:
        table[k] = table[k] + [(name, *ends) for name, ends in BOUNDS[k].items()]
        table[k] = [cell for cell in table[k] if cell[0] not in drop and (k, cell[0]) not in drop]
    return table


def cones(table, series=SERIES):
    return {
        k: sep.cone_rows(
            [(series.index(name), low, high) for name, low, high in cells],
            variables=len(series),
            outcome=0,
            direction=-1,
        )
        for k, cells in table.items()
    }


def inseparable(table):
    rows = cones(table)
    return {a + b for a, b in combinations(rows, 2) if not sep.separated(rows[a], rows[b])}


def test_naive_signs_separate_no_pair():
    assert inseparable(signs(NAIVE, "FBKL")) == {"FB", "FK", "FL", "BK", "BL", "KL"}


def test_full_signs_of_four_shocks_leave_two_pairs():
    assert inseparable(signs(FULL, "FBKL")) == {"FB", "FL"}


def test_full_signs_of_six_shocks_leave_ten_pairs():
    assert inseparable(signs(FULL, "FBKLDM")) == {
        "FB", "FL", "FD", "FM", "BD", "BM", "KM", "LD", "LM", "DM",
    }  # fmt: skip


@pytest.mark.parametrize("drop", [(), ("basis",), ("basis", ("K", "creations"))])
def test_bounds_separate_every_pair_also_without_the_cells_kept_as_tests(drop):
    assert inseparable(bounds(drop=drop)) == set()


def test_other_channels_can_masquerade_as_four_of_the_six_barely_as_k_and_not_as_m():
    rows = cones(bounds())
    room = {k: sep.masquerade(rows[k], [rows[j] for j in rows if j != k]) for k in rows}
    found = {k: round(value, 3) for k, value in room.items() if value > sep.INTERIOR}
    # printed to three digits by an independent prototype
    assert found == {"F": 0.362, "B": 0.421, "K": 0.046, "L": 0.496, "D": 0.496}


def test_a_masquerading_sum_exists_although_no_single_other_shock_passes():
    """Two shocks, each moving one of two series: together they look like the third."""
    open_end = {"a": [("x", 1, INF), ("y", -0.1, 0.1)], "b": [("x", -0.1, 0.1), ("y", 1, INF)]}
    rows = cones({**open_end, "both": [("x", 0.2, INF), ("y", 0.2, INF)]}, ["o", "x", "y"])
    assert sep.separated(rows["a"], rows["both"])
    assert sep.separated(rows["b"], rows["both"])
    assert sep.masquerade(rows["both"], [rows["a"], rows["b"]]) > sep.INTERIOR
    assert sep.masquerade(rows["both"], [rows["a"]]) <= sep.INTERIOR
    assert sep.masquerade(rows["both"], []) <= sep.INTERIOR


@pytest.mark.parametrize("seed", range(40))
def test_separation_of_elasticity_intervals_is_disjointness_of_some_interval(seed):
    """A second, closed-form answer: per unit of outcome the cones are boxes."""
    rng = np.random.default_rng(seed)
    series = ["o", "x", "y", "z"]
    table = {}
    for k in "ab":
        ends = np.sort(rng.normal(size=(3, 2)) * [1.0, 2.0], axis=1)
        ends[rng.random(3) < 0.3, 0] = -INF
        ends[rng.random(3) < 0.3, 1] = INF
        table[k] = [(name, *pair) for name, pair in zip("xyz", ends, strict=True)]
    rows = cones(table, series)
    disjoint = [max(a[1], b[1]) >= min(a[2], b[2]) for a, b in zip(*table.values(), strict=True)]
    assert sep.separated(rows["a"], rows["b"]) == any(disjoint)
    assert sep.separated(rows["b"], rows["a"]) == any(disjoint)


@pytest.mark.parametrize(("start", "meets"), [(0.29, True), (0.3, True), (0.31, False)])
def test_cones_touch_where_one_bound_begins_at_the_end_of_the_other(start, meets):
    rows = cones({"a": [("x", -0.1, 0.3)], "b": [("x", start, INF)]}, ["o", "x"])
    assert sep.touching(rows["a"], rows["b"]) == meets
    assert sep.separated(rows["a"], rows["b"]) == (start >= 0.3)


def test_units_of_a_series_do_not_decide_separation():
    table = bounds()
    scaled = {
        k: [(n, 1000 * a, 1000 * b) if n == "cme_oi" else (n, a, b) for n, a, b in cells]
        for k, cells in table.items()
    }
    assert inseparable(scaled) == inseparable(table)


def test_the_order_of_channels_and_cells_does_not_decide_separation():
    full = signs(FULL, "FBKLDM")
    turned = inseparable({k: list(reversed(full[k])) for k in reversed(full)})
    assert {frozenset(pair) for pair in turned} == {frozenset(pair) for pair in inseparable(full)}


def test_the_proof_of_a_separation_is_infeasible_and_irreducible():
    rows = cones(bounds())
    for a, b in permutations(rows, 2):
        kept = sep.conflict(rows[a], rows[b])
        stack = np.vstack([rows[a][list(kept[0])], rows[b][list(kept[1])]])
        assert sep.slack(stack) <= sep.INTERIOR
        for row in range(len(stack)):
            assert sep.slack(np.delete(stack, row, axis=0)) > sep.INTERIOR
        assert kept[0]
        assert kept[1]


def test_cones_that_meet_have_no_proof_of_separation():
    rows = cones(signs(FULL, "FB"))
    assert sep.conflict(rows["F"], rows["B"]) == ((), ())


def test_one_channel_with_contradictory_cells_is_infeasible_and_the_cells_are_found():
    cells = [(1, 0.4, INF), (2, 0.0, INF), (3, -1.0, 1.0), (1, -INF, 0.3)]
    rows = sep.cone_rows(cells, variables=4, outcome=0, direction=-1)
    assert not sep.feasible(rows)
    owners = {sep.row_cells(cells)[row] for row in sep.conflict(rows)[0]}
    assert owners - {sep.NORMALISATION} == {0, 3}
    assert sep.feasible(sep.cone_rows(cells[:3], variables=4, outcome=0, direction=-1))


def test_every_channel_of_the_reference_tables_is_feasible():
    for table in (signs(NAIVE, "FBKL"), signs(FULL, "FBKLDM"), bounds()):
        assert all(sep.feasible(rows) for rows in cones(table).values())


def test_a_shock_that_may_not_move_the_outcome_its_way_is_infeasible():
    rows = sep.cone_rows([(0, 0.0, INF)], variables=2, outcome=0, direction=-1)
    assert not sep.feasible(rows)


def test_a_zero_restriction_is_an_equality_not_a_contradiction():
    rows = sep.cone_rows([(1, 0.0, 0.0)], variables=3, outcome=0, direction=1)
    assert sep.feasible(rows)
    away = sep.cone_rows([(1, 0.1, INF)], variables=3, outcome=0, direction=1)
    assert sep.separated(rows, away)


@pytest.mark.parametrize("direction", [-1, 1])
def test_rows_hold_exactly_where_the_elasticity_lies_in_its_cell(direction):
    rng = np.random.default_rng(9)
    cells = [(1, -0.5, 0.8), (2, 0.3, INF), (3, -INF, -0.2)]
    rows = sep.cone_rows(cells, variables=4, outcome=0, direction=direction)
    assert rows.shape == (1 + 4, 4)
    assert sep.row_cells(cells) == (-1, 0, 0, 1, 2)
    columns = rng.normal(size=(4, 500))
    size = direction * columns[0]
    inside = (size >= 0) & np.all(
        [(low <= columns[v] / size) & (columns[v] / size <= high) for v, low, high in cells], axis=0
    )
    assert np.array_equal((rows @ columns >= 0).all(0), inside)
    assert 0 < inside.sum() < 500


@pytest.mark.parametrize(
    ("pairs", "series"),
    [
        ("FB FK FL FD", "igv"),
        ("FB FK FL FD", "vix"),
        ("FM BM KM LM DM", "gold"),
        ("BL LD", "bin_oi"),
        ("BD", "cme_oi"),
        ("BK KL KD", "iv_spread"),
    ],
)
def test_the_series_named_in_the_design_separates_its_pairs_alone(pairs, series):
    table = {k: [cell for cell in cells if cell[0] == series] for k, cells in bounds().items()}
    rows = cones(table)
    assert all(sep.separated(rows[a], rows[b]) for a, b in pairs.split())
