"""Figures show the numbers of tables and draws, with units, in the same bytes each time."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

from attribution.errors import DataError
from attribution.report import cells, draws, figures, numbers, style
from attribution.report.figures import steps
from attribution.report.learned import learned

UNITS = {"log points", "vol pt", "bp", "USD m", "log pt"}


def texts(figure):
    root = ET.fromstring(style.svg_bytes(figure, title="t"))
    return [
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def segments(axis):
    return [tuple(line.get_xdata()) for line in axis.lines]


def holds(segments, low, high):
    return any(len(s) == 2 and np.allclose(s, (low, high), atol=1e-12) for s in segments)


def axis_words(figure):
    words = [figure.get_supxlabel(), figure.get_supylabel()]
    for axis in figure.axes:
        words += [axis.get_xlabel(), axis.get_ylabel()]
    return [word for word in words if word]


@pytest.fixture(scope="module")
def drawn(any_run):
    return {p.name: p for p in figures.pictures(any_run.tree, any_run.tables)}


@pytest.mark.parametrize("window", ["crash", "shock_crash", "round_trip"])
def test_the_bars_of_the_waterfall_end_at_the_observed_move(run, window):
    table = run.tables[window]
    bars = figures.waterfall(run.tree, table, window=window).axes[0].patches
    reach = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert reach[0][0] == 0.0
    for (_, end), (start, _) in pairwise(reach[:-1]):
        assert start == pytest.approx(end, abs=1e-12)
    assert reach[-1] == (0.0, table["mean"]["observed"])
    assert reach[-2][1] == pytest.approx(table["mean"]["observed"], abs=1e-10)


def test_a_table_whose_means_do_not_add_up_misses_the_observed_move(run):
    table = run.tables["crash"].copy()
    table.loc["basis_unwind", "mean"] += 0.5
    ends = steps(table)
    assert abs(ends["unattributed"][1] - ends["observed"][1]) == pytest.approx(0.5)


def test_each_bar_of_the_waterfall_carries_both_intervals_of_its_row(run):
    table = run.tables["crash"]
    seen = segments(figures.waterfall(run.tree, table, window="crash").axes[0])
    for name, (start, _) in steps(table).items():
        row = table.loc[name]
        if name != "observed":
            assert holds(seen, start + row["q05"], start + row["q95"])
            assert holds(seen, start + row["q25"], start + row["q75"])


def test_the_labels_of_the_waterfall_are_the_numbers_of_the_table(run):
    table = run.tables["crash"]
    seen = texts(figures.waterfall(run.tree, table, window="crash"))
    places = cells.decimals(table)
    rows = cells.rows(table)
    wanted = [numbers.number(row["mean"], places) for row in rows.values()]
    wanted += [numbers.per_cent(row["percent"], places) for row in rows.values()]
    found = [text for text in seen if text in wanted]
    assert sorted(text for text in wanted if text not in found) == []
    assert [numbers.label(name) for name in rows] == [
        t for t in seen if t in map(numbers.label, rows)
    ]


def test_the_path_ends_at_the_weighted_mean_of_the_window(build):
    for weighted in (False, True):
        run = build(weighted=weighted)
        weight = run.tree["weights/weight"].to_numpy().ravel()
        figure = figures.through_the_window(run.tree)
        for i, axis in enumerate(figure.axes[:7]):
            values = run.tree["posterior/contribution"].sel(window="round_trip")
            mean = np.average(values.to_numpy().reshape(-1, 7)[:, i], weights=weight)
            ends = [line.get_ydata()[-1] for line in axis.lines if len(line.get_ydata()) == 4]
            assert ends == [pytest.approx(mean, abs=1e-9)]


def test_weights_change_every_figure_that_shows_draws(build):
    plain, weighted = build(), build(weighted=True)
    pairs = zip(
        figures.pictures(plain.tree, plain.tables),
        figures.pictures(weighted.tree, weighted.tables),
        strict=True,
    )
    for first, second in pairs:
        assert style.svg_bytes(first.figure, title="") != style.svg_bytes(second.figure, title="")


def test_quantiles_under_weights_are_those_of_repeated_draws():
    rng = np.random.default_rng(3)
    values, count = rng.normal(size=(50, 2)), rng.integers(0, 4, 50)
    whole = np.repeat(values, count, axis=0)
    found = draws.band(values, count / count.sum())
    even = draws.band(whole, np.full(len(whole), 1 / len(whole)))
    for one, other in zip(found, even, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_weights_that_mean_nothing_are_refused(run, bad):
    weight = run.tree["weights"].to_dataset().copy(deep=True)
    weight["weight"][0, 0] = bad
    with pytest.raises(DataError, match="/weights"):
        draws.weights(xr.DataTree.from_dict({"/weights": weight}))


def test_a_missing_group_is_named():
    with pytest.raises(DataError, match="group '/posterior' is missing"):
        draws.channels(xr.DataTree())


def test_the_event_weights_multiply_the_weights_of_the_run(build):
    run = build(weighted=True)
    base = run.tree["weights/weight"].to_numpy().ravel()
    shift = run.tree["event_in/log_weight"].sel(event_in="out").to_numpy().ravel()
    wanted = base * np.exp(shift)
    found = draws.event_in_weights(run.tree)
    np.testing.assert_allclose(found["out"], wanted / wanted.sum(), rtol=1e-12)
    np.testing.assert_allclose(found["in"], base / base.sum(), rtol=1e-12)


def test_overlap_is_one_for_equal_draws_and_zero_for_distant_ones(run):
    tree = run.tree.copy(deep=True)
    posterior = tree["posterior/contribution"].stack(s=("chain", "draw")).transpose("s", ...)
    same = xr.Dataset(
        {"contribution": (("draw", "window", "channel"), posterior.to_numpy())},
        {"window": posterior["window"].to_numpy(), "channel": posterior["channel"].to_numpy()},
    )
    tree["prior"] = xr.DataTree(same)
    # The grid leaves out one draw in a thousand on either side, rounded up to a whole draw.
    same = [it.overlap for it in learned(tree, "crash").values()]
    assert same == pytest.approx([1] * 7, abs=2 * (0.001 + 1 / 800))
    tree["prior"] = xr.DataTree(tree["prior"].to_dataset() + 200.0)
    assert max(it.overlap for it in learned(tree, "crash").values()) < 1e-6


def test_the_overlap_of_two_normals_is_that_of_the_formula():
    from math import erfc, sqrt

    from attribution.report.learned import density

    rng = np.random.default_rng(8)
    n, shift = 200_000, 1.5
    first, second = rng.normal(size=n), rng.normal(shift, 1, n)
    edges, flat = np.linspace(-6, 8, 1025), np.full(n, 1 / n)
    shared = np.minimum(density(first, flat, edges), density(second, flat, edges)).sum()
    # The bandwidth widens both by 1 %, the draws add an error of 0.002.
    wanted = erfc(shift / 2 / sqrt(2))
    assert shared * (edges[1] - edges[0]) == pytest.approx(wanted, abs=0.012)


def test_a_prior_with_heavy_tails_does_not_blur_the_posterior():
    rng = np.random.default_rng(4)
    posterior, prior = rng.normal(size=(1, 20_000, 1, 1)), rng.standard_cauchy((20_000, 1, 1))
    coords = {"window": ["w"], "channel": ["unattributed"]}
    dims = ("chain", "draw", "window", "channel")
    tree = xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset({"contribution": (dims, posterior)}, coords),
            "/prior": xr.Dataset({"contribution": (dims[1:], prior)}, coords),
            "/weights": xr.Dataset({"weight": (dims[:2], np.ones((1, 20_000)))}),
        }
    )
    x = np.linspace(-6, 6, 100_001)
    normal, cauchy = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), 1 / np.pi / (1 + x**2)
    wanted = np.minimum(normal, cauchy).sum() * (x[1] - x[0])
    # Three standard errors of a share of 20,000 draws, and the bandwidth.
    assert learned(tree, "w")["unattributed"].overlap == pytest.approx(wanted, abs=0.02)


def test_the_overlap_is_printed_in_each_panel(run):
    seen = texts(figures.prior_against_posterior(run.tree, window="crash"))
    for it in learned(run.tree, "crash").values():
        assert f"overlap {it.overlap:.2f}" in seen


def test_a_reweighting_that_cannot_be_trusted_says_so(run):
    seen = texts(figures.event_in_comparison(run.tree, window="crash"))
    assert "out (k = 0.78, not reliable)" in seen
    assert "scale (k = 0.34)" in seen
    assert "in" in seen


def test_bounds_and_dilution_are_drawn_where_the_run_has_them(build):
    run = build("bvar_signs")
    axis = figures.robust_bounds(run.tree, run.tables["crash"], window="crash").axes[0]
    table = run.tables["crash"].dropna(subset=["robust_lower"])
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axis.patches]
    np.testing.assert_allclose(bars, table[["robust_lower", "robust_upper"]].to_numpy())
    level = float(run.tree["robust/dilution"].sel(window="crash"))
    assert holds(segments(axis), level, level)


def test_every_figure_has_units_on_its_axes(drawn):
    for picture in drawn.values():
        words = axis_words(picture.figure)
        assert any(unit in word for word in words for unit in UNITS), picture.name
    words = axis_words(drawn["impulse_responses"].figure)
    assert "trading days after the shock" in words
    for unit in ("log pt", "vol pt", "bp", "USD m"):
        assert any(word.endswith("\n" + unit) for word in words)


def test_responses_without_units_are_refused(run):
    bare = run.tree["responses"].to_dataset().drop_vars("unit")
    with pytest.raises(DataError, match="no coordinate 'unit'"):
        figures.impulse_responses(xr.DataTree.from_dict({"/responses": bare}))


def test_a_channel_keeps_its_colour_and_no_two_share_one(run):
    names = list(run.tables["crash"].index)
    paint = style.colours(names)
    assert len(set(paint.values())) == len(names)
    assert style.colours(names[:2])["basis_unwind"] == paint["basis_unwind"]
    mixed = style.colours(["basis_unwind", "new_one", "new_two"])
    assert len(set(mixed.values())) == 3


def test_bytes_do_not_depend_on_time_state_or_the_readers_settings(run):
    def both():
        figure = figures.waterfall(run.tree, run.tables["crash"], window="crash")
        return style.svg_bytes(figure, title="w"), style.png_bytes(figure, title="w")

    first = both()
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "svg.hashsalt": "other"}):
        assert both() == first
    assert both() == first
    figure = figures.through_the_window(run.tree)
    assert style.svg_bytes(figure, title="") == style.svg_bytes(figure, title="")


def test_a_figure_leaves_the_readers_settings_alone(run):
    before = dict(mpl.rcParams)
    figures.waterfall(run.tree, run.tables["crash"], window="crash")
    assert dict(mpl.rcParams) == before
