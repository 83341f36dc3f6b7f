"""Both lines of PyMC and ArviZ behind one door: same draws, same diagnostics, same files."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from attribution.errors import DataError, SpecError
from attribution.sampling import engine

SIZE = 3


def normal_operation():
    """A density that PyTensor sees only through ``perform``, as the headline model's."""
    import pytensor.tensor as pt
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op

    class Density(Op):
        def make_node(self, x):
            x = pt.as_tensor_variable(x)
            return Apply(self, [x], [pt.dscalar(), x.type()])

        def perform(self, node, inputs, storage):
            storage[0][0] = np.asarray(-0.5 * (inputs[0] ** 2).sum())
            storage[1][0] = np.asarray(-inputs[0])

        def L_op(self, inputs, outputs, gradients):
            return [gradients[0] * outputs[1]]

        pullback = L_op

    return Density()


def sampled(mode, seed=7):
    import pymc as pm

    with pm.Model() as model:
        x = pm.Flat("x", shape=SIZE, initval=np.zeros(SIZE))
        pm.Potential("density", normal_operation()(x)[0])
    return engine.sample(
        model, draws=400, tune=300, chains=2, cores=1, seed=seed, target_accept=0.8, mode=mode
    )


@pytest.fixture(scope="module")
def tree():
    return sampled("FAST_COMPILE")


def test_sampling_finds_the_density_of_an_operation_of_ours(tree):
    draws = tree["posterior"]["x"].to_numpy()
    assert draws.shape == (2, 400, SIZE)
    error = engine.mcse_mean(draws)
    assert np.all(np.abs(draws.mean((0, 1))) < 5 * error)
    assert np.all(error < 0.1)
    assert np.all(np.abs(engine.rhat(draws) - 1) < 0.05)


def test_a_tree_says_who_sampled_it_and_holds_no_warm_up(tree):
    assert tree["posterior"].attrs["inference_library"] == "pymc"
    assert "warmup_posterior" not in tree.children
    assert {"posterior", "sample_stats"} <= set(tree.children)


def test_the_same_seed_gives_the_same_draws_and_another_seed_others(tree):
    again = sampled("FAST_COMPILE")["posterior"]["x"]
    other = sampled("FAST_COMPILE", seed=8)["posterior"]["x"]
    np.testing.assert_array_equal(again, tree["posterior"]["x"])
    assert not np.allclose(other, again)


@pytest.mark.slow
def test_the_compiler_changes_speed_and_not_the_draws(tree):
    fast = sampled("NUMBA")["posterior"]["x"].to_numpy()
    slow = tree["posterior"]["x"].to_numpy()
    np.testing.assert_allclose(fast.mean((0, 1)), slow.mean((0, 1)), atol=0.05)


def test_an_unknown_sampler_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"--sampler 'nutpy': unknown \(nearest: 'nutpie'\)"):
        engine.sample(None, draws=1, tune=1, chains=1, cores=1, seed=1, sampler="nutpy")


def chains(seed=0, shape=(4, 1000)):
    return np.random.default_rng(seed).standard_normal(shape)


def test_diagnostics_are_entry_by_entry():
    x = chains(shape=(4, 500, 2, 3))
    for diagnostic in (engine.rhat, engine.ess_bulk, engine.ess_tail, engine.mcse_mean):
        whole = diagnostic(x)
        assert whole.shape == (2, 3)
        assert whole[1, 2] == pytest.approx(float(diagnostic(x[:, :, 1, 2])), rel=1e-10)


def test_chains_that_disagree_are_seen():
    x = chains()
    assert engine.rhat(x) < 1.01
    assert engine.rhat(x + np.arange(4)[:, None]) > 1.5


def test_the_effective_size_of_an_autoregression_is_the_textbook_one():
    rho, noise = 0.8, chains(seed=3, shape=(8, 20_000))
    x = noise.copy()
    for t in range(1, x.shape[1]):
        x[:, t] += rho * x[:, t - 1]
    expected = x.size * (1 - rho) / (1 + rho)
    assert engine.ess_bulk(x) == pytest.approx(expected, rel=0.1)


def test_the_tail_size_is_the_smaller_one_of_the_outer_quantiles():
    # One chain visits the lower tail in a single block: the median hides it, the tail must not.
    x = chains()
    x[:, :60] = np.minimum(x[:, :60], -1) - 2
    assert engine.ess_tail(x) < 0.5 * engine.ess_bulk(chains())
    assert engine.ess_tail(x) < engine.ess_tail(chains())


def test_the_error_of_a_mean_and_of_a_quantile_shrink_as_theory_says():
    x = chains(shape=(4, 1000, 50))
    root = np.sqrt(4000)
    assert engine.mcse_mean(x).mean() * root == pytest.approx(1.0, rel=0.05)
    q = 0.05
    theory = np.sqrt(q * (1 - q)) / stats.norm.pdf(stats.norm.ppf(q))
    assert engine.mcse_quantile(x, q).mean() * root == pytest.approx(theory, rel=0.1)


def test_smoothing_keeps_the_order_and_the_sign_of_log_weights():
    raw = chains(shape=(4, 500))
    smoothed, k = engine.psis(raw)
    assert smoothed.shape == raw.shape
    assert np.exp(smoothed).mean() == pytest.approx(1.0)
    assert stats.spearmanr(raw.ravel(), smoothed.ravel()).statistic > 0.999
    assert k < 0.5


def test_the_tail_index_is_that_of_the_weights():
    # The weight has a Pareto tail of shape k, since log weight = k times an exponential.
    exponential = np.random.default_rng(1).standard_exponential(20_000)
    tail = 3 * np.sqrt(20_000)
    for k in (0.3, 0.9):
        error = (1 + k) / np.sqrt(tail)
        assert engine.psis(k * exponential)[1] == pytest.approx(k, abs=3 * error)


def test_equal_weights_need_no_smoothing():
    smoothed, k = engine.psis(np.full((2, 50), -3.0))
    assert not smoothed.any()
    assert k < 0


def test_the_interval_is_the_shortest_one():
    x = np.random.default_rng(2).standard_exponential((4, 50_000))
    low, high = engine.hdi(x)
    assert low == pytest.approx(0.0, abs=1e-3)
    assert high == pytest.approx(-np.log(0.06), abs=0.05)
    assert engine.hdi(-x) == pytest.approx([-high, -low], abs=1e-12)
    assert engine.hdi(chains(shape=(2, 100, 3))).shape == (3, 2)


def test_a_summary_names_every_scalar_and_its_columns_never_change():
    x = xr.DataArray(chains(shape=(2, 50, 2)), dims=("chain", "draw", "v"))
    data = xr.Dataset({"a": x.assign_coords(v=["p", "q"]), "b": x[:, :, 0]})
    table = engine.summary(xr.DataTree.from_dict({"posterior": data}))
    assert list(table.index) == ["a[p]", "a[q]", "b"]
    assert list(table.columns) == [
        *("mean", "sd", "hdi_low", "hdi_high"),
        *("mcse_mean", "ess_bulk", "ess_tail", "r_hat"),
    ]
    assert table.loc["b", "mean"] == pytest.approx(float(x[:, :, 0].mean()))
    assert table.loc["b"].tolist() == pytest.approx(table.loc["a[p]"].tolist())
    assert set(table.dtypes) == {np.dtype("float64")}


def test_a_saved_tree_comes_back_whole_and_its_file_can_be_written_again(tree, tmp_path):
    path = tmp_path / "run.nc"
    engine.save(tree, path)
    back = engine.load(path)
    xr.testing.assert_identical(back["posterior"].to_dataset(), tree["posterior"].to_dataset())
    engine.save(back, path)
    assert [item.name for item in tmp_path.iterdir()] == ["run.nc"]


def test_a_failed_save_leaves_the_old_file_and_no_other(tree, tmp_path):
    path = tmp_path / "run.nc"
    engine.save(tree, path)
    before = path.read_bytes()
    bad = xr.DataTree(xr.Dataset(attrs={"object": object()}))
    with pytest.raises(TypeError):
        engine.save(bad, path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["run.nc"]


def test_a_missing_or_broken_file_is_refused_in_one_sentence(tree, tmp_path):
    path = tmp_path / "run.nc"
    with pytest.raises(DataError, match=r"run\.nc: no such file"):
        engine.load(path)
    path.write_bytes(b"not a netCDF file")
    with pytest.raises(DataError, match=r"run\.nc: cannot be read as a saved run"):
        engine.load(path)
    engine.save(tree, path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"run\.nc: cannot be read as a saved run"):
        engine.load(path)
