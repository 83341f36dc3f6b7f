"""Figures of an event are drawn from the saved tree, carry their unit, and say what tables say."""

from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from attribution.report import style
from attribution.report.deliver import draw_report
from attribution.report.draws import samples
from attribution.report.figures import study_pictures
from attribution.report.numbers import number
from attribution.report.run_tables import tables
from attribution.runs.run import load_run
from attribution.studies.event.picture_curves import (
    amplification,
    amplifiers,
    colours,
    day_by_step,
    hedge_profile,
    players,
    triggers,
)
from attribution.studies.event.pictures import (
    LARGEST,
    effects_by_law,
    estimands,
    event_waterfall,
    taught,
    told,
)

NAMES = ["waterfall", "estimands", "profile", "amplification", "learned", "laws", "steps"]


def words(figure):
    root = ElementTree.fromstring(style.svg_bytes(figure, title=""))
    return [
        "".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")
    ]


@pytest.fixture(scope="module")
def drawn(toy_run):
    return {p.name: p for p in study_pictures(toy_run.tree, tables(toy_run))}


def contribution(run, rule, player):
    part = run.tree["allocation"].to_dataset()["contribution"]
    return samples(part.sel(rule=rule, player=player))


def holds(axis, low, high):
    lines = [line.get_xdata() for line in axis.lines]
    return any(len(x) == 2 and np.allclose(x, (low, high), atol=1e-9) for x in lines)


def test_every_figure_is_drawn_and_bears_the_kind(drawn):
    assert list(drawn) == [f"event_{name}" for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_carries_its_unit(drawn, name):
    said = " ".join(words(drawn[f"event_{name}"].figure))
    assert "log point" in said
    assert ("USD million" in said) == (name in ("profile", "steps"))


@pytest.mark.parametrize("name", NAMES)
def test_no_two_words_of_a_figure_touch(drawn, name):
    assert touching(drawn[f"event_{name}"].figure) == []


def test_words_that_touch_are_seen(toy_run):
    figure = hedge_profile(toy_run.tree)
    figure.axes[0].set_title("a title that is far too long to end before the next panel begins")
    assert touching(figure) != []


def touching(figure):
    """Pairs of words whose boxes overlap."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    hidden = {
        text
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for text, place in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
        if not min(axis.get_view_interval()) <= place <= max(axis.get_view_interval())
    }
    shown = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in hidden
    ]
    boxes = [(text.get_text(), text.get_window_extent(renderer).padded(-0.5)) for text in shown]
    assert len(boxes) > 8
    return [(a, b) for (a, one), (b, two) in combinations(boxes, 2) if one.overlaps(two)]


def test_the_same_run_is_drawn_in_the_same_bytes(toy_run, drawn):
    for again in study_pictures(toy_run.tree, tables(toy_run)):
        first, second = (style.svg_bytes(it.figure, title="") for it in (drawn[again.name], again))
        assert first == second


def test_the_waterfall_runs_from_nothing_to_the_observed_move_through_triggers_first(toy_run):
    bars = event_waterfall(toy_run.tree).axes[0].patches
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert ends[0][0] == 0.0
    for (_, end), (start, _) in pairwise(ends[:-1]):
        assert start == pytest.approx(end, abs=1e-12)
    assert ends[-2][1] == pytest.approx(-14.2, abs=1e-10)
    assert ends[-1] == (0.0, -14.2)
    for (start, end), name in zip(ends, players(toy_run.tree), strict=False):
        mean = contribution(toy_run, "triggers_first", name).mean()
        assert end - start == pytest.approx(mean, abs=1e-12)


def test_intervals_of_draws_and_the_range_over_orders_are_told_apart(toy_run):
    axis = event_waterfall(toy_run.tree).axes[0]
    ranges = toy_run.tree["order_range"].to_dataset()
    start = 0.0
    for place, name in enumerate(players(toy_run.tree)):
        part = contribution(toy_run, "triggers_first", name)
        assert holds(axis, *(start + np.quantile(part, (0.05, 0.95))))
        low, high = (samples(ranges[end].sel(player=name)).mean() for end in ("low", "high"))
        assert holds(axis, start + low, start + high)
        brackets = [line for line in axis.lines if line.get_marker() == "|"]
        assert brackets[place].get_ydata()[0] > place + 0.25  # clear of the bar and its intervals
        start += part.mean()


def test_the_waterfall_prints_means_and_what_would_be_missing(toy_run):
    said = words(event_waterfall(toy_run.tree))
    for rule in ("triggers_first", "but_for"):
        for name in players(toy_run.tree):
            assert number(contribution(toy_run, rule, name).mean(), 2) in said


def test_triggers_come_before_amplifiers_whatever_the_order_of_the_run(toy_run):
    tree = toy_run.tree.copy()
    turned = list(reversed(players(tree)))
    tree["coalitions"] = tree["coalitions"].to_dataset().sel(player=turned)
    assert players(tree) == ["factor", "basis", "rest", "liquidations", "gamma", "notes"]
    assert triggers(tree) == triggers(toy_run.tree)
    assert set(amplifiers(tree)) == set(amplifiers(toy_run.tree))


def test_the_bars_do_not_move_when_the_players_of_a_run_are_reordered(toy_run):
    tree = toy_run.tree.copy()
    for name in ("coalitions", "allocation", "order_range"):
        data = tree[name].to_dataset()
        tree[name] = data.sel(player=[str(x) for x in data["player"].to_numpy()][::-1])
    first, second = event_waterfall(toy_run.tree), event_waterfall(tree)
    length = [
        {round(bar.get_width(), 9) for bar in figure.axes[0].patches} for figure in (first, second)
    ]
    assert length[0] == length[1]


def test_each_question_is_drawn_once_with_its_draws(toy_run):
    figure = estimands(toy_run.tree)
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said == [
        "M but-for", "M triggers-first", "M Shapley", "M stand-alone", "O order flow"
    ]  # fmt: skip
    marks = figure.axes[0].lines[: len(said)]
    for rule, line in zip(("but_for", "triggers_first", "shapley"), marks, strict=False):
        means = [contribution(toy_run, rule, name).mean() for name in players(toy_run.tree)]
        np.testing.assert_allclose(line.get_xdata(), means, rtol=0, atol=1e-12)


def test_a_run_without_order_flow_shows_what_it_has(toy_run):
    tree = toy_run.tree.copy()
    del tree["order_flow"]
    assert len(estimands(tree).legends[0].get_texts()) == 4


def test_the_profile_says_what_is_traded_at_the_observed_move(toy_run):
    figure = hedge_profile(toy_run.tree)
    flow = toy_run.tree["profile"].to_dataset()["flow"]
    for axis, name in zip(figure.axes, ("notes", "gamma", "liquidations"), strict=True):
        middle = flow.sel(mechanism=name, quantile=0.5).interp(move=-14.2).item()
        assert axis.get_title(loc="left").startswith(f"{name}\n{number(middle, 0)} (")
        assert any(np.allclose(line.get_xdata(), -14.2) for line in axis.lines)


def test_a_day_solved_at_once_has_no_figure_of_its_steps(toy_run):
    tree = toy_run.tree.copy()
    del tree["steps"]
    assert [p.name for p in study_pictures(tree, tables(toy_run))][-1] == "event_laws"


def test_what_a_mechanism_had_added_is_the_observed_path_less_the_path_without_it(toy_run, drawn):
    figure, data = day_by_step(toy_run.tree), toy_run.tree["steps"].to_dataset()
    path, *others = figure.axes
    seen, hours = data["observed"].to_numpy(), np.r_[0.0, data["hours"].to_numpy()]
    (line,) = [line for line in path.lines if line.get_label() == "observed"]
    np.testing.assert_allclose(line.get_xdata(), hours)
    np.testing.assert_allclose(line.get_ydata(), np.r_[0.0, seen])
    for place, name in enumerate(("notes", "gamma", "liquidations")):
        without = data["without"].sel(mechanism=name).to_numpy()
        added, bought = others[2 * place : 2 * place + 2]
        middle = np.r_[0.0, seen - without[2]]
        np.testing.assert_allclose(added.lines[0].get_ydata(), middle, atol=1e-12)
        low, high = seen[-1] - without[[4, 0], -1]
        title = added.get_title(loc="left")
        assert title == f"{name}: {number(middle[-1], 2)}\n({number(low, 2)} to {number(high, 2)})"
        flow = data["flow"].sel(mechanism=name, quantile=0.5).to_numpy()
        np.testing.assert_allclose(bought.lines[0].get_ydata(), np.r_[0.0, flow])
    assert "clock difference of 0.12 log points" in drawn["event_steps"].caption


def test_the_right_panel_of_the_curve_is_the_move_over_the_shock(toy_run):
    right = amplification(toy_run.tree).axes[1]
    data = toy_run.tree["curve"].to_dataset().sel(quantile=0.5)
    for label, sign in (("falls", -1.0), ("rises", 1.0)):
        (line,) = [line for line in right.lines if line.get_label() == label]
        size = line.get_xdata()
        move = data["with_feedback"].sel(shock=sign * size).to_numpy()
        np.testing.assert_allclose(line.get_ydata(), move / (sign * size), rtol=1e-12)


def test_draws_that_run_away_are_counted_below_the_curve(toy_run, drawn):
    tree = toy_run.tree.copy()
    tree["curve"].attrs["left_out"] = 0.12
    again = {p.name: p for p in study_pictures(tree, tables(toy_run))}
    assert "share of 0.12 of all draws" in again["event_amplification"].caption
    assert "left out" not in drawn["event_amplification"].caption


def test_prior_and_posterior_share_everything_where_they_are_the_same(toy_run):
    tree = toy_run.tree.copy()
    prior = tree["prior"].to_dataset()
    same = {
        name: samples(tree["allocation/contribution"].sel(rule="but_for", player=name))
        for name in players(tree)
    }
    draws = np.array([same[str(name)] for name in prior["player"].to_numpy()]).T
    tree["prior"] = prior.drop_vars("but_for").assign(but_for=(("draw", "player"), draws))
    for it in taught(tree).values():
        assert it.overlap == pytest.approx(1.0, abs=1e-3)
    assert all(it.overlap < 0.98 for it in taught(toy_run.tree).values())


def test_the_area_of_a_dot_is_the_weight_of_its_law(toy_run):
    axis = effects_by_law(toy_run.tree).axes[0]
    weight = toy_run.tree["laws"].to_dataset()["weight"].to_numpy()
    areas = [dots.get_sizes()[0] for dots in axis.collections]
    each = len(areas) // len(weight)
    assert each == 1 + len(amplifiers(toy_run.tree))
    assert areas[0] == pytest.approx(LARGEST * weight[0])
    assert areas[each] == pytest.approx(LARGEST * weight[1])
    places = {round(dots.get_offsets()[0][1], 6) for dots in axis.collections}
    assert len(places) == len(areas)  # no two laws on one line


def test_a_law_of_which_no_draw_has_an_answer_is_said_so(toy_run):
    tree = toy_run.tree.copy()
    laws = tree["laws"].to_dataset().copy(deep=True)
    laws["mean"][3], laws["q"][3] = np.nan, np.nan
    tree["laws"] = laws
    said = words(effects_by_law(tree))
    assert "invariance, no draw has an answer" in said
    assert "linear, weight 0.30" in said


def test_a_group_of_drivers_of_ones_own_gets_a_colour_that_nobody_has():
    paint = colours(["factor", "metals", "basis", "gamma"])
    assert len(set(paint.values())) == 4


def test_a_saved_run_is_drawn_again_and_its_page_says_what_each_layer_means(saved, tmp_path):
    run = load_run(saved)
    written = {path.name for path in draw_report(run, tables(run), tmp_path)}
    assert {f"event_{name}.png" for name in NAMES} <= written
    page = (tmp_path / "report.html").read_text()
    for said in ("shock layer", "mechanism layer", "estimand S", "estimand O", "estimand M"):
        assert said in page
    assert "attribution compare runs/bvar runs/event" in page
    assert "attribution counterfactual runs/event --without" in page


def test_effects_that_may_be_none_share_what_both_laws_have_at_zero():
    """Laws that lie apart share nothing but the lesser of two masses at zero."""
    rng = np.random.default_rng(1)
    before, after = rng.normal(-9.0, 1.0, 4000), rng.normal(9.0, 1.0, 4000)
    before[:1200], after[:800] = 0.0, 0.0
    apart = told(before, after)
    assert apart.overlap == pytest.approx(0.2, abs=1e-6)
    step = apart.edges[1] - apart.edges[0]
    assert apart.posterior.sum() * step == pytest.approx(0.8, abs=1e-3)
    assert told(before, before).overlap == pytest.approx(1.0, abs=2e-3)
