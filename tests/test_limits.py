"""Limits and names at every door: a value beyond them is refused in a sentence, not computed."""

import dataclasses
from datetime import date, datetime
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.errors import DataError, SpecError
from attribution.fit.settings import event_of, refuse_masses
from attribution.limits import COUNTS, MOST, NAME_BYTES
from attribution.model import model_names
from attribution.model.grammar import Table, parse_toml
from attribution.model.names import file_name, refuse_name
from attribution.model.sections import TABLES

BAD_NAMES = {
    "..": "no letter",
    ".": "no letter",
    "---": "no letter",
    "": "no letter",
    "a\0b": r"\x00",
    "\x1b[31mred": r"\x1b",
    "\u202eabc": r"\u202e",
    "a\nb": r"\n",
    "a\u2028b": r"\u2028",
    "$x^{$": "formula",
    "{x}": "formula",
    "a/b": "a slash",
    "a\\b": "a backslash",
    " a": "blank",
    "a ": "blank",
    "x" * 181: "181 bytes long, above the limit of 180",
    "危" * 61: "183 bytes long, above the limit of 180",
}
GOOD_NAMES = (
    "fall",
    "λ",
    "危机",
    "a fall & after",
    "^GSPC",
    "S&P 500",
    "10 %",
    "x_1",
    "=1+1",
    "ß" * 90,
)
SECTIONS = {
    "window": ('name = "fall"', 'name = "{}"'),
    "event": ('name = "a fall"', 'name = "{}"'),
    "variable": ('"share_return"', '"{}"'),
    "outcome": ('outcome = "coin_return"', 'outcome = "{}"'),
    "panel": ('panel = "market"', 'panel = "{}"'),
    "channel": ("native", '"{}"'),
}


def refusal(call, *args, error=SpecError, **settings):
    with pytest.raises(error) as caught:
        call(*args, **settings)
    said = str(caught.value)
    assert ";" in said and "\n" not in said and len(said) < 400
    return said


def escaped(name):
    """A name as TOML writes it between quotes."""
    return "".join(f"\\U{ord(c):08x}" for c in name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_breaks_paths_formulas_or_screens_is_refused(name):
    assert BAD_NAMES[name] in refusal(refuse_name, name, "place: name")


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_letters_of_every_script_are_names(name):
    assert refuse_name(name, "place: name") == name


@pytest.mark.parametrize("name", [None, 3, b"fall", ("a",)])
def test_a_name_is_a_text(name):
    assert "is no text" in refusal(refuse_name, name, "place: name")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_that_reads_a_name_refuses_it_before_sampling(own, section):
    old, new = SECTIONS[section]
    text = (own / "cones.toml").read_text(encoding="utf-8")
    assert old in text
    for name in filter(None, BAD_NAMES):
        model = text.replace(old, new.format(escaped(name)))
        assert "rename it" in refusal(at.model_from, model), name


def test_the_file_and_the_model_bear_names_too(own):
    text = (own / "mine.toml").read_text(encoding="utf-8")
    for name in BAD_NAMES:
        refusal(at.model_from, text, name)
    dots = own / "...toml"
    dots.write_text(text, encoding="utf-8")
    assert "'..' has no letter" in refusal(at.read_model, str(dots))
    spec = dataclasses.replace(at.read_model(own / "mine.toml"), name="../up")
    assert "holds a slash" in refusal(at.fit, spec, data=own)


def test_windows_that_would_name_one_file_or_a_table_of_the_run_are_refused(own):
    text = (own / "mine.toml").read_text(encoding="utf-8")
    twice = text.replace('name = "fall and after"', 'name = "Fall"')
    assert "'fall' and 'Fall' would name one file" in refusal(at.model_from, twice)
    ledger = text.replace('name = "fall"', 'name = "Ledger"')
    assert "is a table of every run" in refusal(at.model_from, ledger)
    of_results = import_module("attribution.report.run_tables")
    ours = {of_results.SUMS, of_results.TRANSITORY, of_results.VARIANCE, of_results.RESPONSES}
    assert ours | {"ledger"} == set(TABLES)


def test_a_shock_named_after_its_variable_is_no_row_of_every_table(own):
    text = (own / "mine.toml").read_text(encoding="utf-8").replace("share_return", "baseline")
    assert "'baseline' is a row of every table" in refusal(at.model_from, text)


def test_names_of_other_scripts_keep_their_files_apart():
    assert file_name("危机") == "危机" and file_name("α, β") == "α-β"
    assert file_name("../a b") == "a-b" and file_name("..") == "unnamed"
    assert len(file_name("危" * 60).encode()) <= NAME_BYTES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = " + "[" * 13 + "]" * 13, "nested deeper than the limit of 12"),
        ("a = " + "[" * 9000, "nested deeper than the limit of 12"),
        ("a" + ".a" * 13 + " = 1", "nested deeper than the limit of 12"),
        ("a = 9" + "0" * 5000, "thousands of digits"),
        ("a = 9" + "0" * 300, "beyond 9,007,199,254,740,992"),
        ("a = [" + "1," * 10_001 + "]", "10,001 entries of 'a', above the limit of 10,000"),
        (f"variables = {[f'v{i}' for i in range(101)]}", "above the limit of 100"),
        ('title = "' + "x" * 10_001 + '"', "10,001 letters, above the limit of 10,000"),
        ('title = "a\\u001b[2Jb"', "holds a control character"),
        ('"\\u202e" = 1', "holds the control character"),
    ],
    ids=lambda value: value[:20],
)
def test_a_document_beyond_all_bounds_is_refused_at_once(text, expected):
    assert expected in refusal(parse_toml, text, "m.toml")


def test_a_document_at_its_bounds_is_read():
    assert parse_toml("a = " + "[" * 12 + "]" * 12, "m")  # twelve lists below the document
    assert len(parse_toml("a = [" + "1," * 10_000 + "]", "m")["a"]) == 10_000
    assert parse_toml("a = 9007199254740992", "m") == {"a": 2**53}
    dotted = parse_toml('t = "a.b.c.d.e.f.g.h.i.j.k"', "m")["t"]
    assert dotted.count(".") == 10


@pytest.mark.parametrize("key", [*MOST, "window"])
def test_a_whole_number_has_an_upper_limit_that_is_told(key):
    most = MOST.get(key, 100_000)
    assert Table("m", {key: most}).integer(key) == most
    assert f"above the limit of {most:,}" in refusal(Table("m", {key: most + 1}).integer, key)
    assert "above the limit" in refusal(Table("m", {key: 10**5000}).integer, key)


def test_horizons_of_a_claim_have_the_limit_of_horizons(own):
    text = (own / "cones.toml").read_text(encoding="utf-8")
    claim = text.replace('{ sign = "+",', '{ sign = "+", horizons = [0, 1001],')
    assert claim != text and "above the limit of 1,000" in refusal(at.model_from, claim)


def test_no_shipped_model_is_near_a_limit():
    for name in model_names():
        at.read_model(name)
    assert COUNTS["variables"] == 100


@pytest.mark.parametrize("draws", [0, -4, 3, 1.5, 400.0, True, "many", float("nan"), 10**400])
def test_draws_are_a_whole_number_within_limits(draws):
    assert "draws" in refusal(at.Settings, draws=draws)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, None, "5", float("inf")])
def test_a_seed_is_a_whole_number_within_limits(seed):
    assert "seed" in refusal(at.Settings, seed=seed)


@pytest.mark.parametrize(
    "given", [{"event_in": 3}, {"event_in": None}, {"sampler": 1}, {"progress": "yes"}]
)
def test_other_settings_have_a_type(given):
    assert next(iter(given)) in refusal(at.Settings, **given)


def test_whole_numbers_of_numpy_are_whole_numbers():
    settings = at.Settings(draws=np.int64(4), seed=np.uint32(2**32 - 1))
    assert settings == at.Settings(draws=4, seed=2**32 - 1)
    assert type(settings.draws) is type(settings.seed) is int


@pytest.mark.parametrize("source", [None, 3, Path("mine.toml"), ["schema"], b"schema = 1"])
def test_a_model_is_a_text_or_a_mapping(source):
    assert "is no model" in refusal(at.model_from, source)


def test_a_mapping_that_holds_itself_is_refused():
    held = {"schema": 1}
    held["system"] = held
    assert "nested deeper" in refusal(at.model_from, held)
    assert "is no text" in refusal(at.model_from, {1: 2})


@pytest.mark.parametrize("model", [None, 123, b"var", ["var"], object()])
def test_a_fit_is_of_a_model(model):
    assert "neither a name, a path nor a model" in refusal(at.fit, model)
    assert "neither a name nor a path" in refusal(at.read_model, model)


def test_a_fit_takes_a_path_and_days_as_they_come(own):
    mine = own / "mine.toml"
    days = (
        ("2025-03-10", "2025-03-11"),
        [pd.Timestamp("2025-03-10"), np.datetime64("2025-03-11")],
        (date(2025, 3, 10), datetime(2025, 3, 11)),
    )
    for event in days:
        assert event_of(event) == (date(2025, 3, 10), date(2025, 3, 11))
    settings = at.Settings(draws=2000)
    runs = [
        at.fit(model, data=own, event=days[0], settings=settings) for model in (mine, str(mine))
    ]
    runs.append(
        at.fit(mine, data=own, event=(date(2025, 3, 10), date(2025, 3, 11)), settings=settings)
    )
    parts = [run.tree["posterior/contribution"].to_numpy() for run in runs]
    np.testing.assert_array_equal(parts[0], parts[1])
    np.testing.assert_array_equal(parts[0], parts[2])


@pytest.mark.parametrize(
    "event",
    [
        "2025-03-10",
        5,
        (),
        ("2025-03-10",),
        ("2025-03-10",) * 3,
        ("2025-03-10", None),
        ("2025-03-10", pd.NaT),
        ("2025-03-10", 20250311),
        ("2025-03-10", "soon"),
        ("2025-03-10", pd.Timestamp("2025-03-11 16:00")),
        ("2025-03-10", pd.Timestamp("2025-03-11", tz="UTC")),
        ("2025-03-10", float("nan")),
    ],
    ids=str,
)
def test_an_event_is_two_days(event):
    assert "event" in refusal(at.fit, "var", event=event)


def test_data_settings_and_say_have_a_type(own):
    mine = own / "mine.toml"
    for data in ([1, 2], 3, {"a": 1}, np.zeros((3, 2)), b"market.csv", pd.Series([1.0])):
        assert type(data).__name__ in refusal(at.fit, mine, data=data, error=DataError)
    for settings in (5, {"draws": 100}, "fast"):
        assert "not settings" in refusal(at.fit, mine, settings=settings)
    assert "no function" in refusal(at.fit, mine, say="loud")


def test_a_run_is_loaded_by_a_text_or_a_path(var_run, tmp_path):
    from attribution.runs.run import save_run

    save_run(var_run, tmp_path / "var")
    loaded = [at.load_run(folder) for folder in (tmp_path / "var", str(tmp_path / "var"))]
    assert loaded[0].manifest == loaded[1].manifest
    for folder in (None, 3, b"runs"):
        assert "no path" in refusal(at.load_run, folder, error=DataError)
    for folder in ("", "absent", "a\0b", "x" * 5000):
        with pytest.raises(DataError, match=r"manifest\.json"):
            at.load_run(folder)


def test_memory_is_counted_before_a_draw_is_made(own, monkeypatch):
    spec = at.read_model(own / "mine.toml")
    days = pd.DatetimeIndex(pd.to_datetime(["2025-03-10", "2025-03-11", "2025-03-12"]))
    # 3 variables, 1 lag: 21 coefficients; 11 horizons x 3 x (3 shocks, 4 responses, 4 shares);
    # 1 and 3 days x 4 channels and the baseline
    each = 8 * (3 * (3 + 3 + 1) + 11 * 3 * (3 + 2 * 4) + (1 + 3) * 5)
    most = 4_000_000_000 // each
    refuse_masses(spec, days, most)
    said = refusal(refuse_masses, spec, days, most + 1)
    assert "3 variables, 1 lags, 11 horizons and 4 days" in said and "limit of 4 GB" in said
    refusal(refuse_masses, spec, days, most // 2, 3)

    def sampled(*args, **settings):
        raise AssertionError("a draw was made")

    monkeypatch.setattr(import_module("attribution.fit.path"), "estimate", sampled)
    text = (own / "mine.toml").read_text(encoding="utf-8")
    wide = at.model_from(text.replace("lags = 1", "lags = 1\nhorizons = 1000"))
    assert "GB" in refusal(at.fit, wide, data=own, settings=at.Settings(draws=1_000_000))


def test_a_table_of_too_many_cells_is_refused(own, monkeypatch):
    monkeypatch.setattr("attribution.panel.cells.CELLS", 1000)
    assert "313 rows of 4 columns, above the limit of 1,000 cells" in refusal(
        at.fit, own / "mine.toml", data=own, error=DataError
    )
    frame = pd.read_csv(own / "market.csv")
    frame.to_parquet(own / "market.parquet")
    card = (own / "market.toml").read_text(encoding="utf-8").replace("market.csv", "market.parquet")
    (own / "market.toml").write_text(card, encoding="utf-8")
    assert "313 rows of 4 columns" in refusal(at.fit, own / "mine.toml", data=own, error=DataError)
