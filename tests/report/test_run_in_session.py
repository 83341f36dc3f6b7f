"""A run at the prompt: what it says of itself, its tables, draws, findings and pictures."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import attribution as at
from attribution.report import figures, results
from attribution.report.run_tables import tables
from attribution.report.style import Picture
from attribution.runs.run import UNCONVERGED
from attribution.runs.run import Run as Record

FRAME = pd.DataFrame(
    np.random.default_rng(1).standard_t(6, (160, 2)) @ [[1.0, 0.5], [0.2, 1.0]],
    pd.bdate_range("2020-01-01", periods=160, name="time"),
    ["output", "prices"],
)
SYSTEM = {
    "schema": 1, "kind": "svar", "title": "Two <series> & one order",
    "sample": {"panel": "frame", "start": FRAME.index[0].date(), "end": FRAME.index[-1].date()},
    "system": {"variables": ["output", "prices"], "lags": 1, "horizons": 4},
    "identification": {"scheme": "recursive", "order": ["output", "prices"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def system():
    """A run without an event."""
    return at.fit(at.model_from(SYSTEM, name="pair"), data=FRAME, draws=2000, seed=1)


@pytest.fixture(scope="module")
def study():
    """A run of a study that draws nothing."""
    return at.fit("panel", seed=1)


@pytest.fixture(params=["var_run", "signs_run"])
def run(request):
    return request.getfixturevalue(request.param)


class Tags(HTMLParser):
    """Elements that a text opens, and whether each is closed."""

    def __init__(self, text):
        super().__init__()
        self.opened, self.waiting, self.texts = [], [], []
        self.feed(text)
        assert self.waiting == []

    def handle_starttag(self, tag, attrs):
        self.opened.append((tag, dict(attrs)))
        if tag != "img":
            self.waiting.append(tag)

    def handle_endtag(self, tag):
        assert self.waiting.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_a_fit_and_a_saved_run_are_of_one_class_which_the_record_is_of(run, tmp_path):
    assert type(run) is at.Run and isinstance(run, Record)
    place = run.save(tmp_path / "run")
    assert sorted(path.name for path in place.iterdir()) == [
        "manifest.json", "results.json", "run.nc"
    ]  # fmt: skip
    back = at.load_run(str(place))
    assert type(back) is at.Run and back.manifest == run.manifest
    pd.testing.assert_frame_equal(back.summary(), run.summary())


def test_its_text_is_its_model_its_title_and_its_headline(run):
    first, second = repr(run).split("\n")
    model, title = run.tree.attrs["model"], run.tree.attrs["title"]
    assert first == f"<Run of {model}: {title.removeprefix(model + ': ')}>"
    assert second == run.headline == results.opening(run, tables(run))


def test_a_notebook_shows_headline_waterfall_and_every_row_without_script(run):
    shown = Tags(run._repr_html_())
    assert not {"script", "style", "link", "iframe"} & {tag for tag, _ in shown.opened}
    assert not [key for _, keys in shown.opened for key in keys if key.startswith("on")]
    assert run.headline in shown.texts
    (image,) = [keys for tag, keys in shown.opened if tag == "img"]
    assert image["src"].startswith("data:image/png;base64,") and "Waterfall" in image["alt"]
    rows = [name.replace("_", " ") for name in run.draws().columns]
    assert {*rows, "observed"} <= set(shown.texts)


def test_the_words_of_a_user_are_escaped(system):
    text = system._repr_html_()
    assert "Two &lt;series&gt; &amp; one order" in text and "<series>" not in text
    Tags(text)


def test_the_summary_is_the_table_and_draws_are_behind_its_means(run):
    table, draws = run.summary("event"), run.draws("event")
    pd.testing.assert_frame_equal(table, tables(run)["event"])
    assert draws.index.names == ["chain", "draw"]
    assert list(draws.columns) == [name for name in table.index if name != "observed"]
    observed = table.loc["observed", "mean"]
    assert np.abs(draws.sum(axis=1) - observed).max() <= 1e-10
    assert np.abs(draws.mean() - table["mean"].drop("observed")).max() < 1e-10
    table["mean"] = 0.0
    assert run.summary().loc["observed", "mean"] == observed  # a copy is handed out


def test_a_window_that_is_not_there_is_refused_with_the_nearest(run, system):
    for ask in (run.summary, run.draws, run.plot.waterfall):
        with pytest.raises(at.SpecError, match=r"no window 'evnt' \(nearest: 'event'\)$"):
            ask("evnt")
    with pytest.raises(at.SpecError, match=r"no window 'event', nor any other; leave it out$"):
        system.summary("event")


def test_findings_are_a_table_of_what_the_manifest_records(run):
    found = run.findings
    assert list(found.columns[:4]) == ["name", "question", "evidence", "verdict"]
    assert list(found["name"]) == [one["name"] for one in run.manifest["findings"]]


def test_pictures_are_listed_and_drawn_and_a_misspelt_one_is_refused(run):
    names = dir(run.plot)
    assert "waterfall" in names and "prior_against_posterior" not in names
    drawn = run.plot.waterfall()
    assert isinstance(drawn, Figure) and drawn._repr_png_().startswith(b"\x89PNG")
    assert "event" in drawn.get_suptitle()
    with pytest.raises(at.SpecError) as refused:
        run.plot.waterfal()
    model = run.tree.attrs["model"]
    assert str(refused.value) == f"run of '{model}': no picture 'waterfal' (nearest: 'waterfall')"
    assert not hasattr(run.plot, "waterfal") and hasattr(run.plot, "waterfall")
    with pytest.raises(at.SpecError, match=r"variance_shares: it is of no one window"):
        run.plot.variance_shares("event")


def test_a_run_without_an_event_answers_with_its_system(system):
    assert list(system.summary().columns) == ["median", "q16", "q84", "q05", "q95"]
    draws = system.draws()
    assert "impact[output, output]" in draws and "intercept[prices]" in draws
    assert (draws["impact[output, prices]"] == 0.0).all()
    impact = system.tree["structural/impact"].sel(variable="prices", shock="output")
    np.testing.assert_array_equal(draws["impact[prices, output]"], impact.to_numpy().ravel())
    assert dir(system.plot) == ["impulse_responses", "variance_shares"]


def test_a_study_answers_with_its_own_tables_and_pictures(study, tmp_path):
    assert repr(study).endswith(study.manifest["headline"])
    assert list(study.tables) == list(at.study_tables(study.tree))
    pd.testing.assert_frame_equal(study.summary(), study.tables["answers"])
    text = Tags(study._repr_html_())
    assert study.headline in text.texts
    names = dir(study.plot)
    assert names and "waterfall" not in names and not hasattr(study.plot, "waterfall")
    assert isinstance(getattr(study.plot, names[0])(), Figure)
    page = study.report(tmp_path / "out")
    assert page.name == "report.html" and study.headline[:20] in page.read_text("utf-8")
    pictures = {path.stem for path in (tmp_path / "out" / "figures").glob("*.svg")}
    assert pictures == {f"panel_{name}" for name in names}
    assert at.load_run(study.save(tmp_path / "run")).headline == study.headline


def test_a_run_that_failed_its_diagnostics_shows_why_and_no_number(var_run, tmp_path):
    failed = at.Run(var_run.tree, {**var_run.manifest, UNCONVERGED: "R-hat is <2>"})
    assert repr(failed).endswith("\nunconverged: R-hat is <2>")
    assert "R-hat is &lt;2&gt;" in failed._repr_html_() and "<table" not in failed._repr_html_()
    assert dir(failed.plot) == []
    for ask in (failed.summary, lambda: failed.headline, lambda: failed.report(tmp_path / "r")):
        with pytest.raises(at.DiagnosticsError, match=r"it is unconverged \(R-hat is <2>\)"):
            ask()
    place = failed.save(tmp_path / "run")
    assert at.load_run(place, unconverged=True).unconverged == "R-hat is <2>"


def test_the_pictures_offered_are_those_that_the_report_draws(signs_run, monkeypatch):
    def named(tree, found, name, window=""):
        return Picture(f"{name} {window}".strip(), "", "", None)

    monkeypatch.setattr(figures, "picture", named)
    drawn = [one.name for one in figures.pictures(signs_run.tree, signs_run.tables)]
    assert drawn[:2] == ["waterfall event", "robust_bounds event"]
    assert sorted(name.removesuffix(" event") for name in drawn) == sorted(dir(signs_run.plot))
