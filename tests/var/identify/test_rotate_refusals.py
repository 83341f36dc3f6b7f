"""What the engine refuses, what it says, and what it counts."""

import math
from dataclasses import replace

import numpy as np
import pytest

from attribution.errors import DiagnosticsError, IdentificationError, SpecError
from attribution.model.restriction import OUTCOME, Ranking, Response, VarianceShare
from attribution.var.identify.rotate import refuse_thin, rotate


@pytest.fixture
def run(closed, simulated, tables):
    def do(names, cells, *, draws=400, budget=20_000_000, reduced=None, **more):
        table = tables.table(names, cells, **more)
        chosen = closed() if reduced is None else reduced
        return rotate(chosen, table, simulated[0], lags=2, draws=draws, seed=1, budget=budget)

    return do


def test_signs_that_contradict_each_other_are_refused_by_name(run, tables):
    cells = [
        tables.cell("a", "output", "+"),
        tables.cell("a", "price", (2.0, math.inf), per="output"),
        tables.cell("a", "price", (-math.inf, 1.0), per="output"),
    ]
    with pytest.raises(
        IdentificationError,
        match=r"'a': no shock can satisfy a\.output \+ and a\.price >= 2 per output and a\.price",
    ):
        run(("a",), cells)


def test_bounds_that_contradict_each_other_are_refused_by_name(run, tables):
    cells = [tables.cell("a", "price", (2.0, 3.0)), tables.cell("a", "price", (0.0, 1.0))]
    with pytest.raises(IdentificationError, match=r"a\.price \[2, 3\] and a\.price \[0, 1\]"):
        run(("a",), cells)


def test_an_exhausted_budget_names_the_claim_that_turns_most_away(run, tables):
    cells = [
        tables.cell("a", "output", "+"),
        tables.cell("a", "price", "+"),
        tables.cell("a", "rate", (80.0, 90.0)),
    ]
    with pytest.raises(IdentificationError) as caught:
        run(("a",), cells, budget=20_000)
    message = str(caught.value)
    assert "table 't': 0 of" in message
    assert "widen or drop a.rate [80, 90], which fails" in message
    assert message.endswith(
        "that obey everything else, or search inside the set by sampler 'gibbs' (bounds on impact"
        " alone) or 'slice'"
    )
    assert "\n" not in message


def test_counts_of_each_claim_are_those_of_its_candidates(run, tables):
    cells = [
        tables.cell("a", "output", "+"),  # a sign turns away one candidate of each column's two
        tables.cell("a", "price", (-1e9, 1e9)),  # idle
        tables.cell("b", "rate", (3.0, math.inf)),
    ]
    ranking = Ranking(Response("a", "output"), Response("b", "output"), 1.0, True, "", "")
    done = run(("a", "b"), cells, rankings=(ranking,))
    sign, idle, bound, rank = done.bites
    assert sign.of == 2 * 3 * 1000
    assert sign.killed == sign.alone == 3000
    assert idle.killed == idle.alone == 0
    assert bound.killed == bound.alone > 3000
    assert 0 < rank.killed == rank.alone < rank.of
    assert [bite.claim for bite in done.bites][:2] == ["a.output +", "a.price [-1e+09, 1e+09]"]


def test_more_channels_than_variables_are_refused(run, tables):
    with pytest.raises(IdentificationError, match="4 channels for 3 variables"):
        run(("a", "b", "c", "d"), [tables.cell("a", "output", "+")])


def test_an_elasticity_needs_a_denominator_of_known_sign(run, tables):
    cells = [tables.cell("a", "rate", (0.1, 2.0), per="price")]
    with pytest.raises(IdentificationError, match=r"fix it by a cell a\.price"):
        run(("a",), cells)


def test_an_elasticity_is_a_ratio_whatever_the_sign_of_its_denominator(run, tables):
    cells = [tables.cell("a", "price", "-"), tables.cell("a", "rate", (0.1, 2.0), per="price")]
    post = run(("a",), cells).posterior
    ratio = post.impact[..., 2, 0] / post.impact[..., 1, 0]
    assert (post.impact[..., 1, 0] < 0).all()
    assert ((ratio >= 0.1) & (ratio <= 2)).all()


def test_an_elasticity_of_the_outcome_is_per_move_in_its_direction(run, tables):
    cells = [tables.cell("a", "rate", (0.5, 4.0), per=OUTCOME)]
    post = run(("a",), cells, outcome="output", direction=-1).posterior
    ratio = post.impact[..., 2, 0] / -post.impact[..., 0, 0]
    assert (post.impact[..., 0, 0] < 0).all()
    assert ((ratio >= 0.5) & (ratio <= 4)).all()


def test_cells_on_other_series_do_not_count(run, tables):
    cells = [tables.cell("a", "output", "+"), tables.cell("a", "elsewhere", "-")]
    assert [bite.claim for bite in run(("a",), cells).bites] == ["a.output +"]


def test_a_share_of_a_series_that_the_system_lacks_is_refused(run, tables):
    share = VarianceShare("a", "prices", 3, 0.0, 0.5, "", "")
    with pytest.raises(SpecError, match=r"speaks of 'prices'.*nearest: 'price'"):
        run(("a",), [tables.cell("a", "output", "+")], shares=(share,))


def test_draws_that_do_not_fill_the_chains_are_refused(run, tables):
    with pytest.raises(SpecError, match="401 draws do not fill 4 equal chains; ask for 404"):
        run(("a",), [tables.cell("a", "output", "+")], draws=401)


class Weighted:
    """A reduced form a few of whose draws carry nearly all weight."""

    def __init__(self, inner):
        self.inner, self.rng = inner, np.random.default_rng(1)
        for name in ("variables", "time", "constant", "chains", "notes"):
            setattr(self, name, getattr(inner, name))

    def batch(self, draws):
        plain = self.inner.batch(draws)
        heavy = self.rng.pareto(self.power, plain.weight.shape)
        return replace(plain, weight=heavy, hyper={"heavy": heavy})


def test_weights_of_the_reduced_form_are_kept_beside_what_it_drew(run, tables, closed):
    reduced = Weighted(closed())
    reduced.power = 8.0
    done = run(("a",), [tables.cell("a", "output", "+")], reduced=reduced, draws=800)
    weight = done.hyper["heavy"] * done.factors["namings"]
    assert np.allclose(done.posterior.weight, weight / weight.mean())
    assert np.isfinite(done.pareto_k)


def test_too_few_effective_draws_are_refused(run, tables, closed):
    reduced = Weighted(closed())
    reduced.power = 0.4
    with pytest.raises(DiagnosticsError, match="the weights of 800 draws leave"):
        run(("a",), [tables.cell("a", "output", "+")], reduced=reduced, draws=800)


@pytest.mark.parametrize(
    ("ess", "k", "draws", "sentence"),
    [
        (400.0, 0.7, 4000, None),
        (399.0, 0.1, 4000, "leave 399 effective ones, fewer than 400; ask for 4812 draws"),
        (100.0, 0.1, 400, None),
        (99.0, 0.1, 400, "leave 99 effective ones, fewer than 100; ask for 484 draws"),
        (400.0, 0.701, 4000, "a Pareto-k of 0.70, above 0.7"),
        (4000.0, -np.inf, 4000, None),
    ],
)
def test_weights_are_refused_just_beyond_their_limits(ess, k, draws, sentence):
    if sentence is None:
        refuse_thin("t", ess, k, draws)
        return
    with pytest.raises(DiagnosticsError, match=sentence):
        refuse_thin("t", ess, k, draws)


def test_the_effective_size_is_that_of_the_weights(run, tables, closed):
    reduced = Weighted(closed())
    reduced.power = 8.0
    done = run(("a",), [tables.cell("a", "output", "+")], reduced=reduced, draws=800)
    weight = done.posterior.weight
    assert np.isclose(done.ess, weight.sum() ** 2 / (weight**2).sum())
    assert np.isclose(weight.mean(), 1.0)
