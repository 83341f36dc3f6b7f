"""The page says what the tables say, needs nothing from elsewhere, omits what is absent."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from attribution.report import cells as tables
from attribution.report import figures, numbers, page, style

MINUS = "\u2212"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Reader(HTMLParser):
    """Collect tables by caption, the words of the page, and every reference."""

    def __init__(self):
        super().__init__()
        self.tables, self.words, self.references, self.ids, self.open = [], [], [], [], []
        self.row, self.cell = None, None

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
                self.references.append((tag, value))
        if tag == "table":
            self.tables.append({"caption": "", "head": [], "rows": {}})
        if tag == "tr":
            self.row = []
        if tag in ("td", "th", "caption"):
            self.cell = ""

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "caption":
            self.tables[-1]["caption"] = self.cell
        elif tag in ("td", "th"):
            self.row.append(self.cell)
        elif tag == "tr" and not self.tables[-1]["head"]:
            self.tables[-1]["head"] = self.row
        elif tag == "tr":
            self.tables[-1]["rows"][self.row[0]] = dict(
                zip(self.tables[-1]["head"][1:], self.row[1:], strict=True)
            )
        if tag in ("td", "th", "caption"):
            self.cell = None


def render(run, drawn=(), **extra):
    shown = [page.Inline(p.name, p.title, p.caption, svg(p), p.window) for p in drawn]
    return page.page(run.tree, run.manifest, {**run.tables, **extra}, shown)


def svg(picture):
    return page.inline(style.svg_bytes(picture.figure, title=picture.title), name=picture.name)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def value(text):
    return float(text.replace(MINUS, "-").replace(",", "").rstrip("%\u202f"))


@pytest.fixture(scope="module")
def html(any_run):
    return render(any_run, figures.pictures(any_run.tree, any_run.tables))


@pytest.fixture(scope="module")
def reader(html):
    return read(html)


def test_every_number_of_a_window_is_a_number_of_its_table(any_run, reader):
    shown = [t for t in reader.tables if t["caption"] == "Contributions, log points"]
    assert len(shown) == len(any_run.tables)
    for seen, table in zip(shown, any_run.tables.values(), strict=True):
        for name, row in tables.rows(table).items():
            cells = seen["rows"][numbers.label(name)]
            assert value(cells["mean"]) == pytest.approx(row["mean"], abs=0.0501)
            assert value(cells["per cent"]) == pytest.approx(row["percent"], abs=0.0501)
            assert value(cells["share"]) == pytest.approx(100 * row["share"], abs=0.501)
            if name == "observed":
                continue
            low, high = map(value, cells["90\u202f%"].split(" to "))
            assert (low, high) == pytest.approx((row["q05"], row["q95"]), abs=0.0501)
            assert cells["P(<0)"] == numbers.probability(row["p_negative"])
            assert cells["P(largest)"] == numbers.probability(row["p_largest"])
            assert cells["grade"] == row["grade"]


def test_monte_carlo_error_and_convergence_are_printed_for_every_row(any_run, reader):
    seen = next(t for t in reader.tables if t["caption"].startswith("Spread"))
    table = any_run.tables[next(iter(any_run.tables))]
    for name in table.index.drop("observed"):
        cells, row = seen["rows"][numbers.label(name)], table.loc[name]
        assert value(cells["sd"]) == pytest.approx(row["sd"], abs=0.0501)
        assert value(cells["median"]) == pytest.approx(row["median"], abs=0.0501)
        assert value(cells["MCSE mean"]) == pytest.approx(row["mcse_mean"], rel=0.05)
        assert value(cells["R\u2011hat"]) == pytest.approx(row["r_hat"], abs=0.0005)
        assert value(cells["ESS bulk"]) == pytest.approx(row["ess_bulk"], abs=0.5)


def test_bounds_stand_beside_the_interval_of_the_one_prior(build):
    run = build("bvar_signs")
    seen = next(t for t in read(render(run)).tables if t["caption"] == "Bounds, log points")
    table = run.tables["crash"]
    assert len(seen["rows"]) == 6
    for name, row in table.dropna(subset=["robust_lower"]).iterrows():
        cells = seen["rows"][numbers.label(name)]
        low, high = map(value, cells["robust bounds"].split(" to "))
        assert (low, high) == pytest.approx((row["robust_lower"], row["robust_upper"]), abs=0.0501)
        weak = row["identification_strength"] < 0.5
        assert cells["reading"] == ("compatible range" if weak else "contribution")


def test_the_page_needs_nothing_from_elsewhere(html, reader):
    assert reader.references
    assert all(target.startswith("#") for _, target in reader.references)
    assert {target[1:] for _, target in reader.references} <= set(reader.ids)
    assert not re.search(r"<(script|link|iframe|object|embed|img|base)\b", html)
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_no_two_parts_of_the_page_share_an_identifier(reader):
    assert len(reader.ids) == len(set(reader.ids))


def test_words_of_the_run_are_escaped(html, reader):
    assert "<of no market>" not in html
    assert "A synthetic run <of no market>" in reader.words
    assert "The data tell two channels apart & leave the rest to the prior." in reader.words


def test_findings_show_question_evidence_verdict_and_probability(any_run, reader):
    for finding in any_run.manifest["findings"]:
        assert finding["question"] in reader.words
        assert finding["evidence"] in reader.words
    assert "undecided, probability 0.08" in reader.words
    assert "holds" in reader.words


def test_provenance_shows_every_digest_version_and_setting(any_run, reader):
    for key in ("digests", "versions", "sampler"):
        for name, said in any_run.manifest[key].items():
            assert name in reader.words
            assert str(said) in reader.words
    assert "5" in reader.words
    assert "yes" in reader.words
    assert "no" in reader.words


def test_deviations_and_the_estimand_are_on_the_page(reader):
    assert ": residual autocorrelation; " in reader.words
    assert "S: shock attribution." in reader.words


def test_the_ledger_shows_what_the_data_taught(run):
    ledger = pd.DataFrame({"power_scaling": [0.25], "class": ["prior-only"]}, index=["dof"])
    seen = {t["caption"]: t["rows"] for t in read(render(run, ledger=ledger)).tables}
    told = seen["What each contribution rests on"]
    assert told["dof"] == {"power scaling": "0.250", "class": "prior-only"}
    seen = {t["caption"]: t["rows"] for t in read(render(run)).tables}
    draws = run.tree["posterior/contribution"].sel(window="crash", channel="basis_unwind")
    cells = seen["Contributions, window crash; sd in log points"]["basis unwind"]
    assert value(cells["posterior sd"]) == pytest.approx(float(np.std(draws)), abs=0.00501)


def test_the_event_table_shows_each_way_to_use_the_event(run):
    seen = next(t for t in read(render(run)).tables if t["caption"].startswith("Window crash"))
    assert seen["head"][1:] == ["out (k = 0.78, not reliable)", "scale (k = 0.34)", "in"]
    mean = run.tables["crash"]["mean"]["barrier_hedging"]
    assert value(seen["rows"]["barrier hedging"]["in"].split()[0]) == pytest.approx(
        mean, abs=0.0501
    )


def test_what_a_run_does_not_hold_is_left_out(build):
    run = build("bvar_signs")
    run.manifest = {"created": "2026-02-13"}
    reader = read(render(run))
    for section in ("findings", "ledger", "event-in", "deviations"):
        assert section not in reader.ids
    assert "Nothing" not in reader.words
