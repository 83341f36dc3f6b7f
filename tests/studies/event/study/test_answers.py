"""A fit that no sampler made, solved: tables, ledger, groups, findings and the headline."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from attribution import runs
from attribution.errors import DiagnosticsError
from attribution.finding import VERDICTS, verdict_of
from attribution.studies.event.abduction import unexplained_scale, world_of
from attribution.studies.event.answer import groups_of
from attribution.studies.event.findings import CERTAIN, findings_of, judged_draws
from attribution.studies.event.ledger import BLOCKS, parameters
from attribution.studies.event.solved import solved_of
from attribution.studies.event.tables import (
    MECHANISMS,
    chance_of,
    headline_of,
    joint,
    largest,
    middle,
    tables_of,
)
from attribution.studies.event.world import one_off, play

NAMES = [
    *(f"but for {name}" for name in MECHANISMS), "forced orders absorbed",
    "joint claim", "rises against falls", "single cause", "loop gain", "impact laws",
    "placebo days", "chosen days",
]  # fmt: skip


@pytest.fixture(scope="module")
def solved(case, new_case):
    return solved_of(
        case.question, case.fit, new_case(60, seed=4).drawn(), case.words.append, paths=5
    )


@pytest.fixture(scope="module")
def tables(solved):
    return tables_of(solved)


@pytest.fixture(scope="module")
def findings(solved):
    return {one.name: one for one in findings_of(solved)}


def scaled(solved, **factors):
    """The same event with the but-for effects of some mechanisms multiplied."""
    found = dict(solved.parts.contribution)
    effects = found["but_for"].copy()
    for name, factor in factors.items():
        effects[:, solved.parts.players.index(name)] *= factor
    found["but_for"] = effects
    return replace(solved, parts=replace(solved.parts, contribution=found))


def test_rows_of_answers_are_means_of_the_draws_that_are_saved(solved, tables):
    answers, groups = tables["answers"], groups_of(solved)
    saved = groups["/allocation"]["contribution"]
    for rule, word in {"but_for": "but-for", "shapley": "Shapley"}.items():
        for name in solved.parts.players:
            mean = float(saved.sel(rule=rule, player=name).mean())
            assert answers.loc[f"M {word}: {name}", "mean"] == pytest.approx(mean)
    for rule in ("triggers-first", "Shapley"):
        rows = answers.loc[[f"M {rule}: {name}" for name in solved.parts.players]]
        assert rows["mean"].sum() == pytest.approx(solved.observed, abs=1e-9)
        assert (rows["order_low"] <= rows["mean"]).all()
        assert (rows["mean"] <= rows["order_high"]).all()
    flows = answers.loc[[f"O order flow: {name}" for name in solved.parts.players], "mean"]
    assert flows.sum() == pytest.approx(solved.observed, abs=1e-9)


def test_the_saved_game_is_the_game_that_was_allocated(solved):
    group = runs.coalitions_group(solved.played.game, solved.shape, solved.parts.triggers)
    data = group["/coalitions"]
    assert dict(data.sizes)["coalition"] == 64
    assert data["value"].isel(coalition=-1).to_numpy() == pytest.approx(solved.observed, abs=1e-10)
    assert data.attrs["triggers"] == ["factor", "basis", "rest"]


def test_probabilities_of_the_joint_claim_are_shares_of_draws(solved, tables):
    shapley = solved.parts.contribution["shapley"][:, :3]
    held = (shapley.argmin(axis=1) == 0) & (solved.parts.amplification > 1.25)
    assert joint(solved)[0] == held.mean()
    assert tables["answers"].loc["P(joint claim)", "mean"] == held.mean()


def test_every_finding_is_named_as_the_audit_reads_it(findings):
    assert list(findings) == NAMES
    assert {one.verdict for one in findings.values()} <= set(VERDICTS)


def test_a_sign_is_judged_two_monte_carlo_errors_clear_of_95_per_cent():
    assert [verdict_of(p, sure=CERTAIN, error=0.01) for p in (0.98, 0.96, 0.5, 0.04, 0.02)] == [
        *("holds", "undecided", "undecided", "undecided", "fails")
    ]


def test_the_sign_of_a_but_for_effect_is_judged_unless_the_prior_had_fixed_it(solved, findings):
    for name in MECHANISMS:
        deepened = solved.parts.of("but_for", name) < 0.0
        one = findings[f"but for {name}"]
        assert one.probability == deepened.mean()
        share = (solved.prior.of(name) < 0.0).mean()
        other = (solved.prior.of(name) > 0.0).mean()
        fixed = max(share, other) > 1.0 - 1e-3
        assert fixed == ("an assumption and no finding" in one.evidence)
        # longs can only sell, if what they sell leaves a mark
        one_sided = not fixed and min(share, other) < 1e-3
        assert one_sided == ("the sign is assumed where there is an effect" in one.evidence)
        assert one_sided == (name == "liquidations")
        chance, error = chance_of(solved, deepened)
        expected = "undecided" if fixed else verdict_of(chance, sure=CERTAIN, error=error)
        assert one.verdict == expected
    turned = {one.name: one for one in findings_of(scaled(solved, liquidations=-1.0))}
    assert "larger (90 %" in turned["but for liquidations"].evidence


def marked(solved):
    """The same event had every draw left a mark, before the data and after."""
    prior, drawn = solved.prior, solved.kept.draws["absorbed"]
    at = solved.parts.players.index("liquidations")
    effect, before = solved.parts.contribution["but_for"].copy(), prior.effect.copy()
    effect[drawn == 1, at] = -0.1
    before[before[:, at] == 0.0, at] = -0.1
    rules = {**solved.parts.contribution, "but_for": effect}
    return replace(
        solved,
        parts=replace(solved.parts, contribution=rules),
        prior=replace(prior, effect=before),
    )


def test_a_sign_that_the_prior_had_fixed_is_an_assumption_and_no_finding(solved):
    found = {one.name: one for one in findings_of(marked(solved))}
    one = found["but for liquidations"]
    assert "an assumption and no finding" in one.evidence
    assert (one.verdict, one.probability) == ("undecided", 1.0)


def test_absorbed_orders_have_no_effect_and_marked_ones_have(solved):
    """The interval of 90 % holds zero wherever one draw in twenty left no mark."""
    effect, absorbed = solved.parts.of("but_for", "liquidations"), solved.kept.draws["absorbed"]
    assert (effect[absorbed == 1] == 0.0).all()
    assert (effect[absorbed == 0] < 0.0).all()
    assert 0.05 < absorbed.mean() < 0.5
    row = tables_of(solved)["answers"].loc["M but-for: liquidations"]
    assert row["q05"] < 0.0 == row["q95"]
    for day in solved.days.values():
        assert np.quantile(np.abs(day.of("liquidations")), 0.05) == 0.0


def test_whether_orders_were_absorbed_is_told_with_its_prior_and_its_error(
    solved, tables, findings
):
    fit = solved.fit
    laws = [replace(each, chance=np.full((4, 150), p)) for each, p in zip(
        fit.laws, (0.1, 0.2, 0.3, 0.4), strict=True)]  # fmt: skip
    taught = replace(solved, fit=replace(fit, laws=tuple(laws)))
    chance = float(fit.weight @ [0.1, 0.2, 0.3, 0.4])
    rows = tables_of(taught)["answers"]
    assert rows.loc["P(forced orders absorbed)", "mean"] == pytest.approx(chance)
    factor = chance / (1.0 - chance) * 3.0
    assert rows.loc["Bayes factor of absorption", "mean"] == pytest.approx(factor)
    assert list(tables_of(taught)["laws"]["absorbed"]) == pytest.approx([0.1, 0.2, 0.3, 0.4])
    found = {one.name: one for one in findings_of(taught)}["forced orders absorbed"]
    assert found.probability == pytest.approx(chance)
    assert "0.25 before the data, 0.20" in found.evidence
    assert "0.10 (square_root) to 0.40 (invariance)" in found.evidence
    assert found.verdict == "undecided"
    # draws that repeat the prior say nothing
    assert tables["answers"].loc["Bayes factor of absorption", "mean"] == pytest.approx(1.0)
    assert findings["forced orders absorbed"].probability == pytest.approx(0.25)


def test_without_a_prior_probability_nothing_is_said_of_absorption(solved):
    forced = replace(solved.question.liquidations, absorbed=0.0)
    sure = replace(solved, question=replace(solved.question, liquidations=forced))
    found = {one.name: one for one in findings_of(sure)}["forced orders absorbed"]
    assert (found.verdict, found.probability) == ("untestable", None)
    tables = tables_of(sure)
    assert not any("absor" in name for name in tables["answers"].index)
    assert "absorbed" not in tables["ledger"].index


def test_who_does_nothing_is_not_the_largest(solved):
    effects = -np.abs(solved.parts.contribution["but_for"]) * solved.way  # all dampen
    effects[:, solved.parts.players.index("liquidations")] = 0.0
    rules = {**solved.parts.contribution, "but_for": effects}
    name, _ = largest(replace(solved, parts=replace(solved.parts, contribution=rules)))
    assert name != "liquidations"


def test_the_headline_names_a_mechanism_only_if_it_surely_does_most(solved):
    assert "without the market's answers" in headline_of(solved)
    sure = scaled(marked(solved), liquidations=1e3)
    assert largest(sure)[0] == "liquidations"
    text = headline_of(sure)
    assert text.startswith("Under the model and its priors, without liquidations the fall of 14.2")
    assert "smaller (90 %" in text


def test_no_single_cause_is_named_where_most_of_the_move_is_interaction(solved):
    """Coalitions of one are moved to nothing, so that all of the move is made together."""
    game = solved.played.game
    values = game.values.copy()
    values[:, 1 << np.arange(6)] = 0.0
    shared = replace(game, values=values)
    sure = scaled(marked(solved), liquidations=1e3)
    only = replace(sure, played=replace(sure.played, game=shared))
    assert "no cause is named" in headline_of(only)
    found = {one.name: one for one in findings_of(only)}
    assert found["single cause"].verdict == "fails"


def test_no_share_is_taken_of_a_move_within_five_daily_deviations(solved):
    rows = solved.fit.rows
    wide = replace(solved, fit=replace(solved.fit, rows=replace(rows, sigma=2.0 * rows.sigma)))
    found = {one.name: one for one in findings_of(wide)}
    assert found["single cause"].verdict == "untestable"
    assert "interaction share" not in tables_of(wide)["answers"].index


def test_days_and_laws_are_solved_with_the_draws_of_their_own(solved, case):
    assert list(solved.days) == list(case.rows.labels)
    for name, day in solved.laws.items():
        assert day.effect.shape[1] == 6 and name in tables_of(solved)["laws"].index
    event = solved.days["2026-02-05"]
    assert event.effect == pytest.approx(solved.parts.contribution["but_for"])
    assert event.amplification == pytest.approx(solved.parts.amplification)


def test_the_pit_is_the_tail_of_the_unexplained(solved, case):
    day = case.rows.event
    drawn = solved.drawn
    world = world_of(case.question, case.rows, case.surface, drawn, day)
    rest = world.shock[:, 2] - drawn.draws["mu"]
    law = stats.t(drawn.draws["nu"], scale=unexplained_scale(case.rows, drawn.draws, day))
    assert solved.tail["2026-02-05"] == pytest.approx(law.cdf(rest).mean())


def test_draws_of_the_prior_are_prior_only_in_the_ledger(solved, tables):
    """The fit's draws are draws of the prior, so that no data can have spoken."""
    table = tables["ledger"]
    light = [name for name in table.index if name.startswith(("log ", "beta ", "unwound "))]
    assert (table.loc[light, "contraction"].abs() < 0.5).all()  # 5 standard errors of 240 draws
    assert set(table.loc[light, "prior_driven"]) == {"yes"}
    assert set(table.loc[[f"but-for {name}" for name in MECHANISMS], "prior_driven"]) == {"yes"}
    assert table.loc["overlay", "to"] == "notes"
    assert table.loc["arbitrage", "to"] == "basis"


def test_every_parameter_that_carries_an_answer_is_in_a_block(solved):
    blocks = {name for keys in BLOCKS.values() for name in keys}
    nuisance = ("vol_", "basis_", "creation_", "tau_", "zeta_")
    rest = {name for name in solved.drawn.draws if not name.startswith(nuisance)}
    assert rest == blocks
    assert len(parameters(solved, solved.kept)["net gamma"]) == solved.played.kept.size


def test_groups_lie_as_pictures_and_audit_read_them(solved):
    groups = groups_of(solved)
    dims = {path: set(data.sizes) for path, data in groups.items()}
    assert dims["/curve"] == {"shock", "quantile"}
    assert groups["/profile"]["flow"].dims == ("mechanism", "move", "quantile")
    assert groups["/order_flow"]["contribution"].dims == ("chain", "draw", "part")
    assert groups["/laws"]["q"].dims == ("law", "quantile", "player")
    assert groups["/prior"]["but_for"].dims == ("draw", "player")
    for data in groups.values():
        for values in data.data_vars.values():
            assert np.isfinite(values.to_numpy()).all()


def test_stability_counts_what_is_left_out(solved, tables):
    table = tables["stability"]
    assert table.loc["posterior", "left out"] == solved.played.left_out
    assert (table["left out"] <= table["unstable"] + table["other fixed point"] + 1e-12).all()
    again = play(solved.world, only=one_off(solved.parts.players, 3))
    assert again.left_out == 0.0


def test_a_single_cause_is_a_player_that_has_a_name(solved):
    for name, verdict in (("liquidations", "holds"), ("rest", "fails")):
        effects = np.zeros_like(solved.parts.contribution["but_for"])
        effects[:, solved.parts.players.index(name)] = -1.0
        rules = {**solved.parts.contribution, "but_for": effects}
        sure = replace(solved, parts=replace(solved.parts, contribution=rules))
        found = {one.name: one for one in findings_of(sure)}
        assert found["single cause"].verdict == verdict
    assert "what no driver explains" in found["single cause"].evidence
    assert found["single cause"].probability is None


def test_a_player_without_whom_days_run_away_is_named(solved, findings):
    share = solved.played.without
    assert set(share) == set(solved.parts.players)
    assert max(share.values()) <= solved.played.unstable.mean()
    if max(share.values()) > 0.0:
        name = max(share, key=share.__getitem__)
        assert f"without {name} alone" in findings["loop gain"].evidence


def stub(diverging, rng, size=500, drift=0.0):
    """What is judged of a solved event: draws, contributions, and what diverged."""
    draws = {"mu": rng.normal(size=(4, size)), "fixed": np.ones((4, size))}
    draws["mu"][0] += drift
    laws = [SimpleNamespace(law="linear", stats={"diverging": diverging})]
    kept = size - 20
    contribution = {"shapley": np.c_[rng.normal(size=4 * kept), np.zeros(4 * kept)]}
    return SimpleNamespace(
        fit=SimpleNamespace(draws=draws, laws=laws, law=np.zeros((4, size), int)),
        parts=SimpleNamespace(contribution=contribution),
        played=SimpleNamespace(kept=np.zeros((4, kept))),
        shape=(4, kept),
    )


def test_draws_are_judged_and_what_diverged_is_counted():
    rng = np.random.default_rng(8)
    none, few = np.zeros((4, 500)), np.zeros((4, 500))
    few[0, :3] = 1
    assert judged_draws(stub(none, rng), "toy").findings[0].verdict == "holds"
    found = judged_draws(stub(few, rng), "toy")
    assert found.findings[0].verdict == "undecided"
    assert "3 of 2,000 transitions diverged" in found.findings[0].evidence
    assert found.diagnostics["divergences"] == 3.0
    few[1, :40] = 1
    with pytest.raises(DiagnosticsError, match=r"2\.1% of transitions diverged.*--seed"):
        judged_draws(stub(few, rng), "toy")
    with pytest.raises(DiagnosticsError, match="R-hat"):
        judged_draws(stub(none, rng, drift=2.0), "toy")


def test_a_sign_that_is_learnt_from_named_days_is_no_verdict(solved):
    effects = solved.parts.contribution["but_for"].copy()
    effects[:, solved.parts.players.index("gamma")] = -1.0
    rules = {**solved.parts.contribution, "but_for": effects}
    sure = replace(solved, parts=replace(solved.parts, contribution=rules))
    for days, held, verdict in (
        ("named", True, "holds"), ("named", False, "undecided"), ("all", False, "holds"),
    ):  # fmt: skip
        gamma = replace(solved.question.gamma, days=days)
        question = replace(solved.question, gamma=gamma, held_out=held)
        found = {one.name: one for one in findings_of(replace(sure, question=question))}
        assert found["but for gamma"].verdict == verdict
        assert found["but for gamma"].probability == 1.0
        assert found["chosen days"].verdict == ("holds" if held else "fails")


def test_a_ratio_whose_denominator_comes_near_zero_is_told_by_its_quantiles():
    near = np.random.default_rng(2).normal(size=9_999)
    row = middle(1.0 / (1.0 + 0.1 * near[np.abs(near) < 5]))
    spoilt = middle(np.append(1.0 / (1.0 + 0.1 * near), 1e9))
    assert row["mean"] == pytest.approx(1.0, abs=0.01)
    assert row["sd"] == pytest.approx(0.1, abs=0.01)
    assert spoilt["mean"] == pytest.approx(row["mean"], abs=1e-3)
    assert spoilt["sd"] == pytest.approx(row["sd"], abs=1e-3)
