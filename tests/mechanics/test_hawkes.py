"""Self-exciting events: brute force, derivatives, invariances, recovery, and the burst of news."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.errors import DataError
from attribution.mechanics.hawkes import (
    Hawkes,
    compensator,
    endogenous_share,
    events,
    gradient,
    log_likelihood,
    residuals,
    simulate,
)
from attribution.mechanics.hawkes_fit import fit

EDGES = np.array([0.0, 7.0, 12.0, 40.0])
MODEL = Hawkes(
    np.array([[0.5, 2.0, 0.3], [0.2, 0.4, 0.9]]), np.array([[0.3, 0.2], [0.4, 0.1]]), 1.7
)


@pytest.fixture(scope="module")
def drawn():
    return simulate(MODEL, EDGES, np.random.default_rng(20))


def constant(mu, n, beta):
    return Hawkes(np.array([[mu]]), np.array([[n]]), beta)


def by_double_sum(data, model):
    """Sum over all pairs of events, as the definition is written."""
    total = np.zeros(data.nodes)
    for t, i, k in zip(data.time, data.node, data.piece, strict=True):
        past = data.time < t
        kernel = model.decay * np.exp(-model.decay * (t - data.time[past]))
        rate = model.baseline[i, k] + (model.branching[i, data.node[past]] * kernel).sum()
        total[i] += np.log(rate)
    total -= model.baseline @ np.diff(data.edges)
    for t, j in zip(data.time, data.node, strict=True):
        total -= model.branching[:, j] * (1 - np.exp(-model.decay * (data.edges[-1] - t)))
    return total


def test_the_recursion_is_the_double_sum(drawn):
    assert len(drawn.time) > 40
    assert_allclose(log_likelihood(drawn, MODEL), by_double_sum(drawn, MODEL), rtol=1e-12)


def test_events_at_one_instant_do_not_excite_each_other():
    tied = events([1.0, 1.0, 2.0, 2.0, 2.0, 9.0], np.array([0, 1, 1, 0, 1, 0]), EDGES)
    assert_allclose(log_likelihood(tied, MODEL), by_double_sum(tied, MODEL), rtol=1e-12)


def test_the_gradient_is_that_of_the_likelihood(drawn):
    found = gradient(drawn, MODEL)

    def at(mu=0.0, a=0.0, beta=0.0):
        moved = Hawkes(MODEL.baseline + mu, MODEL.branching + a, MODEL.decay + beta)
        return log_likelihood(drawn, moved).sum()

    step = 1e-5
    for i in range(2):
        for k in range(3):
            unit = np.zeros((2, 3))
            unit[i, k] = step
            assert_allclose(found[0][i, k], (at(mu=unit) - at(mu=-unit)) / (2 * step), rtol=1e-6)
        for j in range(2):
            unit = np.zeros((2, 2))
            unit[i, j] = step
            assert_allclose(found[1][i, j], (at(a=unit) - at(a=-unit)) / (2 * step), rtol=1e-6)
    assert_allclose(found[2], (at(beta=step) - at(beta=-step)) / (2 * step), rtol=1e-6)


def test_without_excitation_it_is_a_poisson_process(drawn):
    calm = Hawkes(MODEL.baseline, np.zeros((2, 2)), 1.7)
    counts = np.zeros((2, 3))
    np.add.at(counts, (drawn.node, drawn.piece), 1.0)
    mass = MODEL.baseline * np.diff(EDGES)
    expected = (counts * np.log(MODEL.baseline) - mass).sum(axis=1)
    assert_allclose(log_likelihood(drawn, calm), expected, rtol=1e-12)
    assert_allclose(compensator(drawn, calm), mass.sum(axis=1), rtol=1e-14)
    assert (endogenous_share(drawn, calm) == 0.0).all()


def test_the_unit_of_time_only_costs_its_logarithm(drawn):
    k = 60.0
    other = events(drawn.time * k, drawn.node, EDGES * k)
    scaled = Hawkes(MODEL.baseline / k, MODEL.branching, MODEL.decay / k)
    counts = np.bincount(drawn.node)
    assert_allclose(
        log_likelihood(other, scaled), log_likelihood(drawn, MODEL) - counts * np.log(k), rtol=1e-11
    )
    assert_allclose(residuals(other, scaled), residuals(drawn, MODEL), rtol=1e-9)


def test_nodes_can_be_relabelled_events_shuffled_and_pieces_cut(drawn):
    whole = log_likelihood(drawn, MODEL)
    turned = Hawkes(MODEL.baseline[::-1], MODEL.branching[::-1, ::-1], MODEL.decay)
    other = events(drawn.time, 1 - drawn.node, EDGES)
    assert_allclose(log_likelihood(other, turned), whole[::-1], rtol=1e-12)
    order = np.random.default_rng(0).permutation(len(drawn.time))
    mixed = events(drawn.time[order], drawn.node[order], EDGES)
    assert_allclose(log_likelihood(mixed, MODEL), whole, rtol=1e-13)
    cut = events(drawn.time, drawn.node, np.insert(EDGES, 3, 25.0))
    finer = Hawkes(MODEL.baseline[:, [0, 1, 2, 2]], MODEL.branching, MODEL.decay)
    assert_allclose(log_likelihood(cut, finer), whole, rtol=1e-12)


def test_waiting_times_add_up_to_the_compensator(drawn):
    waits = residuals(drawn, MODEL)
    assert (waits > 0).all()
    for i in range(2):
        # Close the window at the node's last event: nothing is left after it.
        last = drawn.time[drawn.node == i].max()
        keep = drawn.time <= last
        edges = np.r_[EDGES[last > EDGES], last]
        short = events(drawn.time[keep], drawn.node[keep], edges, 2)
        model = Hawkes(MODEL.baseline[:, : len(edges) - 1], MODEL.branching, MODEL.decay)
        total = waits[drawn.node == i].sum()
        assert_allclose(total, compensator(short, model)[i], rtol=1e-10)


def test_the_clock_of_the_true_model_ticks_like_a_poisson_process_and_no_other():
    model = constant(0.5, 0.6, 2.0)
    data = simulate(model, [0.0, 3000.0], np.random.default_rng(1))
    assert stats.kstest(residuals(data, model), "expon").pvalue > 0.01
    waits = residuals(data, model)
    assert abs(np.corrcoef(waits[1:], waits[:-1])[0, 1]) < 4 / np.sqrt(len(waits))
    calm = constant(len(data.time) / 3000.0, 0.0, 2.0)
    assert stats.kstest(residuals(data, calm), "expon").pvalue < 1e-10


def test_simulated_counts_have_the_mean_of_theory_and_a_seed_repeats_them():
    model = Hawkes(MODEL.baseline[:, :1], MODEL.branching, 1.7)
    mean = 40.0 * np.linalg.solve(np.eye(2) - MODEL.branching, model.baseline[:, 0])
    # A hundred equal pieces: the excitation has to fade across their edges as well.
    edges, steady = np.linspace(-60.0, 40.0, 101), np.repeat(model.baseline, 100, axis=1)
    steady = Hawkes(steady, model.branching, 1.7)
    rngs = [np.random.default_rng([7, k]) for k in range(400)]
    worlds = [simulate(steady, edges, rng) for rng in rngs]
    counts = np.array([np.bincount(w.node[w.time > 0], minlength=2) for w in worlds])
    error = counts.std(axis=0) / np.sqrt(len(counts))
    assert (np.abs(counts.mean(axis=0) - mean) < 4 * error).all()
    again = simulate(steady, edges, np.random.default_rng([7, 3]))
    assert (again.time == worlds[3].time).all() and (again.node == worlds[3].node).all()


def test_maximum_likelihood_recovers_a_moving_baseline_and_the_branching():
    edges = np.array([0.0, 2000.0, 3000.0, 5000.0])
    model = Hawkes(np.array([[0.5, 1.5, 0.2]]), np.array([[0.5]]), 2.0)
    found = [fit(simulate(model, edges, np.random.default_rng([3, k]))) for k in range(6)]
    assert all(one.converged for one in found)
    logs = np.array([
        [*np.log(one.model.baseline[0]), one.model.branching[0, 0], np.log(one.model.decay)]
        for one in found
    ])  # fmt: skip
    truth = np.array([*np.log(model.baseline[0]), 0.5, np.log(2.0)])
    error = logs.std(axis=0, ddof=1) / np.sqrt(len(logs))
    # Student's t with five degrees of freedom, 0.1 % for each of five numbers.
    assert (np.abs(logs.mean(axis=0) - truth) < stats.t(5).ppf(0.9995) * error).all()
    assert (np.abs(logs - truth).max(axis=1) < 0.5).all()


def test_the_slope_of_the_likelihood_vanishes_where_it_is_largest():
    data = simulate(constant(0.5, 0.5, 2.0), [0.0, 1000.0], np.random.default_rng(8))
    found = fit(data)
    slopes = gradient(data, found.model)
    assert max(abs(float(np.squeeze(s))) for s in slopes) < 0.05
    assert found.log_likelihood >= log_likelihood(data, constant(0.5, 0.5, 2.0)).sum()
    # There the expected number of events is the number seen.
    assert_allclose(compensator(data, found.model), len(data.time), rtol=1e-4)


def test_a_baseline_held_constant_turns_a_burst_of_news_into_self_excitation():
    edges = np.array([0.0, 400.0, 450.0, 1000.0])
    truth = Hawkes(np.array([[0.5, 8.0, 0.5]]), np.array([[0.2]]), 2.0)
    for seed in range(3):
        data = simulate(truth, edges, np.random.default_rng([11, seed]))
        moving = fit(data)
        still = fit(events(data.time, 0, edges[[0, -1]]))
        assert abs(moving.model.branching_ratio - 0.2) < 0.15
        assert still.model.branching_ratio > 0.2 + 0.3
        assert moving.log_likelihood > still.log_likelihood + 20.0
        share = endogenous_share(data, moving.model).mean()
        flat = events(data.time, 0, edges[[0, -1]])
        assert endogenous_share(flat, still.model).mean() > share + 0.3


def test_news_alone_looks_self_exciting_under_a_constant_baseline():
    edges = np.array([0.0, 400.0, 450.0, 1000.0])
    news = Hawkes(np.array([[0.5, 8.0, 0.5]]), np.zeros((1, 1)), 1.0)
    data = simulate(news, edges, np.random.default_rng(2))
    assert fit(data).model.branching_ratio < 0.15
    assert fit(events(data.time, 0, edges[[0, -1]])).model.branching_ratio > 0.5


def test_the_endogenous_share_is_the_branching_ratio_in_long_samples():
    model = constant(0.4, 0.6, 3.0)
    data = simulate(model, [0.0, 20_000.0], np.random.default_rng(6))
    share = endogenous_share(data, model).mean()
    assert_allclose(share, 0.6, atol=0.02)
    assert_allclose(model.branching_ratio, 0.6)


def test_the_branching_ratio_is_the_spectral_radius():
    assert_allclose(MODEL.branching_ratio, 0.5)  # eigenvalues 0.5 and -0.1


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 60.0, 1e6, 1e9])
def test_the_fit_does_not_depend_on_the_unit_or_the_origin_of_time(unit):
    day = 86_400.0
    for rate, days, seed in ((1 / 7200, 30, 1), (1 / 21600, 120, 2)):
        raw = simulate(constant(rate, 0.6, 1 / 600), [0.0, days * day], np.random.default_rng(seed))
        plain = fit(raw)
        assert plain.converged and 0.4 < plain.model.branching_ratio < 0.8
        other = fit(events((raw.time - 5e5) * unit, 0, (raw.edges - 5e5) * unit))
        assert other.converged
        assert_allclose(other.model.baseline * unit, plain.model.baseline, rtol=1e-5)
        assert_allclose(other.model.branching, plain.model.branching, rtol=1e-5)
        assert_allclose(other.model.decay * unit, plain.model.decay, rtol=1e-5)
        assert_allclose(other.residual_p, plain.residual_p, rtol=1e-3)
        shift = len(raw.time) * np.log(unit)
        assert_allclose(other.log_likelihood + shift, plain.log_likelihood, rtol=1e-10)


def test_no_wait_is_negative_where_events_share_an_instant():
    tied = events([1.0, 1.0, 1.0, 2.0, 2.5, 9.0], np.array([0, 0, 1, 1, 0, 0]), EDGES)
    waits = residuals(tied, MODEL)
    assert waits[1] == 0.0 and (np.delete(waits, 1) > 0.0).all()
    # All but the tie itself: the integral of the intensity that the double sum makes.
    assert_allclose(waits[tied.node == 0].sum(), spent_until(tied, MODEL, 0, 9.0), rtol=1e-12)


def spent_until(data, model, i, end):
    """Integrate a node's intensity up to a time, event by event."""
    inside = np.clip(end - data.edges[:-1], 0.0, np.diff(data.edges))
    total = model.baseline[i] @ inside
    for t, j in zip(data.time[data.time < end], data.node[data.time < end], strict=True):
        total += model.branching[i, j] * (1 - np.exp(-model.decay * (end - t)))
    return total


def test_ties_are_refused_by_the_fit_and_counted():
    times = np.round(np.random.default_rng(0).uniform(0.0, 40.0, 60), 0)
    ties = len(times) - len(np.unique(times))
    with pytest.raises(DataError, match=f"{ties} of the 60 events of node 0 fall on the instant"):
        fit(events(times, 0, [0.0, 40.0]))


TWO = Hawkes(
    MODEL.baseline, np.array([[[0.2, 0.1], [0.3, 0.05]], [[0.1, 0.2], [0.1, 0.15]]]),
    np.array([0.4, 5.0]),
)  # fmt: skip


def test_a_kernel_of_two_terms_is_the_sum_of_both(drawn):
    expected = np.zeros(2)
    for t, i, k in zip(drawn.time, drawn.node, drawn.piece, strict=True):
        past = drawn.time < t
        rate = TWO.baseline[i, k]
        for a, beta in zip(TWO.branching, TWO.decay, strict=True):
            away = t - drawn.time[past]
            rate += (a[i, drawn.node[past]] * beta * np.exp(-beta * away)).sum()
        expected[i] += np.log(rate)
    assert_allclose(log_likelihood(drawn, TWO) + compensator(drawn, TWO), expected, rtol=1e-12)
    split = Hawkes(MODEL.baseline, np.stack([0.3, 0.7])[:, None, None] * MODEL.branching,
                   np.array([1.7, 1.7]))  # fmt: skip
    assert_allclose(log_likelihood(drawn, split), log_likelihood(drawn, MODEL), rtol=1e-12)
    assert_allclose(residuals(drawn, split), residuals(drawn, MODEL), rtol=1e-9)
    assert split.branching_ratio == pytest.approx(MODEL.branching_ratio, rel=1e-12)


def test_one_term_is_the_exponential_kernel(drawn):
    one = Hawkes(MODEL.baseline, MODEL.branching[None], np.array([MODEL.decay]))
    assert (log_likelihood(drawn, one) == log_likelihood(drawn, MODEL)).all()
    for theirs, ours in zip(gradient(drawn, one), gradient(drawn, MODEL), strict=True):
        assert (np.squeeze(theirs) == np.squeeze(ours)).all()
    again = simulate(one, EDGES, np.random.default_rng(20))
    assert (again.time == drawn.time).all() and (again.node == drawn.node).all()
    free = fit(drawn)
    fixed = fit(drawn, fixed=(free.model.decay,))
    assert_allclose(fixed.log_likelihood, free.log_likelihood, rtol=1e-9)
    assert_allclose(fixed.model.branching[0], free.model.branching, atol=1e-4)


def test_the_gradient_of_two_terms_is_that_of_the_likelihood(drawn):
    _, branching, decay = gradient(drawn, TWO)
    step = 1e-5
    for p in range(2):
        unit = np.zeros(2)
        unit[p] = step
        ends = [Hawkes(TWO.baseline, TWO.branching, TWO.decay + s * unit) for s in (1, -1)]
        up, down = (log_likelihood(drawn, end).sum() for end in ends)
        assert_allclose(decay[p], (up - down) / (2 * step), rtol=1e-6)
        for i, j in np.ndindex(2, 2):
            unit = np.zeros((2, 2, 2))
            unit[p, i, j] = step
            ends = [Hawkes(TWO.baseline, TWO.branching + s * unit, TWO.decay) for s in (1, -1)]
            up, down = (log_likelihood(drawn, end).sum() for end in ends)
            assert_allclose(branching[p, i, j], (up - down) / (2 * step), rtol=1e-6)


def test_more_terms_never_fit_worse(drawn):
    one, two = fit(drawn), fit(drawn, terms=2)
    assert two.log_likelihood >= one.log_likelihood - 1e-6
    assert two.model.branching.shape == (2, 2, 2) and np.diff(two.model.decay) >= 0.0
    known = fit(drawn, fixed=tuple(two.model.decay))
    assert_allclose(known.log_likelihood, two.log_likelihood, atol=1e-4)


@pytest.mark.slow
def test_two_decays_are_recovered_and_tell_on_one():
    truth = Hawkes(np.array([[0.3]]), np.array([[[0.35]], [[0.35]]]), np.array([0.2, 8.0]))
    worlds = [simulate(truth, [0.0, 1000.0], np.random.default_rng([5, k])) for k in range(4)]
    found = [fit(data, terms=2) for data in worlds]
    for data, two in zip(worlds, found, strict=True):
        one = fit(data)
        assert two.converged and two.log_likelihood > one.log_likelihood + 8.0
        assert two.residual_p > 0.01
        assert two.log_likelihood >= log_likelihood(data, truth).sum()
    values = np.array([
        [np.log(f.model.baseline[0, 0]), *f.model.branching.ravel(), *np.log(f.model.decay)]
        for f in found
    ])  # fmt: skip
    wanted = np.array([np.log(0.3), 0.35, 0.35, np.log(0.2), np.log(8.0)])
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    # Student's t with three degrees of freedom, 0.1 % for each of five numbers.
    assert (np.abs(values.mean(axis=0) - wanted) < stats.t(3).ppf(0.9995) * error).all()
    assert_allclose(values.mean(axis=0), wanted, atol=0.3)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: events([1.0, np.nan], 0, [0, 5]), "a time is missing"),
        (lambda: events(["a"], 0, [0, 5]), "is no number"),
        (lambda: events([6.0], 0, [0, 5]), "leave the window from 0 to 5"),
        (lambda: events([1.0], 0, [5, 0]), "do not increase"),
        (lambda: events([1.0], [0.5], [0, 5]), "no whole number"),
        (lambda: events([1.0], np.array([2]), [0, 5], 2), "node 2 but only 2 nodes"),
        (lambda: log_likelihood(events([1.0], 0, [0, 5]), MODEL), "shapes"),
        (lambda: log_likelihood(events([1.0], 0, [0, 5]), constant(0.0, 0.1, 1.0)), "give rates"),
        (lambda: log_likelihood(events([1.0], 0, [0, 5]), constant(1.0, np.nan, 1.0)), "rates"),
        (lambda: fit(events([1.0], 0, [0, 5])), "node 0 has 1 events"),
        (lambda: fit(events([1.0, 2.0], 0, [0, 5]), terms=0), "0 terms"),
        (lambda: fit(events([1.0, 2.0], 0, [0, 5]), fixed=(0.0,)), "fixed .* not all above zero"),
        (lambda: fit(events([1.0, 2.0], 0, [0, 5]), decays=()), "decays .* not all above zero"),
        (
            lambda: simulate(
                constant(1.0, 1.5, 1.0), [0.0, 1e4], np.random.default_rng(0), most=5000
            ),
            "more than 5000 events at a branching ratio of 1.50",
        ),
        (lambda: simulate(MODEL, [0.0, 1.0], np.random.default_rng(0)), "does not fit a window"),
        (
            lambda: simulate(constant(-1.0, 0.1, 1.0), [0.0, 1.0], np.random.default_rng(0)),
            "a rate is below zero",
        ),
    ],
)
def test_bad_events_and_models_are_refused_in_one_sentence(act, message):
    with pytest.raises(DataError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)
