"""Bring your own: a data set, its card and a model file that the toolkit has never seen."""

import json

import pandas as pd
import pytest

from attribution.fit import Settings, fit
from attribution.report.results import results
from attribution.report.run_tables import tables

pytest.importorskip("pyarrow")


@pytest.fixture(params=["folder of csv", "file of csv", "folder of parquet", "file of parquet"])
def data(request, own):
    """What ``--data`` may name."""
    where, kind = request.param.split(" of ")
    if kind == "parquet":
        frame = pd.read_csv(own / "market.csv")
        frame.to_parquet(own / "market.parquet", index=False)
        (own / "market.csv").unlink()
        card = (own / "market.toml").read_text(encoding="utf-8")
        (own / "market.toml").write_text(card.replace(".csv", ".parquet"), encoding="utf-8")
    return own if where == "folder" else own / f"market.{kind}"


def numbers(folder):
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_a_model_of_ones_own_is_fitted_to_data_of_ones_own(own, data):
    run = fit(str(own / "mine.toml"), data=data, settings=Settings(draws=1200))
    found = results(run, tables(run))
    assert found["model"] == "mine" and run.tree.attrs["outcome"] == "coin_return"
    assert list(found["windows"]) == ["fall", "fall and after"]
    for window in found["windows"].values():
        total = sum(row["mean"] for row in window["rows"].values())
        assert total == pytest.approx(window["observed"], abs=1e-9)
    # four and six were drawn on that day
    assert found["windows"]["fall"]["observed"] == pytest.approx(-10.0, abs=1.0)


def test_a_table_of_ones_own_tells_the_two_shocks_apart(attribution, own):
    model, out = own / "cones.toml", own / "run"
    code, said, err = attribution("check", model)
    assert (code, err) == (0, "") and "risk | native" in said and "separated" in said
    words = ["--data", own, "--draws", "2000", "--out", out]
    code, said, err = attribution("fit", "--model", model, *words)
    assert (code, err) == (0, "") and str(out / "report.html") in said
    rows = numbers(out)["windows"]["fall"]["rows"]
    for name, drawn in (("risk", -4.0), ("native", -6.0)):
        assert rows[name]["q05"] - 1 < drawn < rows[name]["q95"] + 1
        assert rows[name]["robust_lower"] <= rows[name]["mean"] <= rows[name]["robust_upper"]
    code, said, err = attribution("summary", out, "--findings")
    assert (code, err) == (0, "")
    assert (out / "tables" / "fall-and-after.csv").is_file()
    assert "contribution[fall, native]" in said and "fall and after" in said
    code, said, err = attribution("report", out, "--out", own / "again")
    assert (code, err) == (0, "")
    assert (own / "again" / "report.html").read_bytes() == (out / "report.html").read_bytes()
    assert said.split()[-1] == str(own / "again" / "report.html")


def test_a_data_set_of_ones_own_is_described(attribution, own, data):
    for model in ("mine.toml", "cones.toml"):  # a folder of data holds cards and their files
        (own / model).unlink()
    code, said, err = attribution("data", data)
    assert (code, err) == (0, "")
    assert "market: A market of our own" in said and "coin_return" in said
    (found,) = json.loads(attribution("data", data, "--json")[1])
    assert found["rows"] > 300 and found["first"] == "2024-01-02"
    assert [column["unit"] for column in found["columns"]] == [
        "log points",
        "log points",
        "index points",
    ]


@pytest.mark.parametrize(
    ("model", "card", "said"),
    [
        (('"fear_change", ', '"fear_changes", '), None, "(nearest: 'fear_change')"),
        (('outcome = "coin_return"', 'outcome = "coin"'), None, "(nearest: 'coin_return')"),
        (('panel = "market"', 'panel = "markets"'), None, "(nearest: 'market')"),
        (None, ('unit = "index points"\n\n[columns', "\n[columns"), "unit"),
        (None, ('file = "market.csv"', 'file = "prices.csv"'), "prices.csv"),
    ],
)
def test_a_slip_in_ones_own_files_is_named_with_its_remedy(attribution, own, model, card, said):
    for name, change in (("mine.toml", model), ("market.toml", card)):
        if change:
            text = (own / name).read_text(encoding="utf-8")
            assert change[0] in text
            (own / name).write_text(text.replace(*change), encoding="utf-8")
    words = ["--data", own, "--out", own / "run", "--quiet"]
    code, out, err = attribution("fit", "--model", own / "mine.toml", *words)
    assert (code, out) == (2, "")
    assert said in err and len(err.strip().splitlines()) == 1
    assert not (own / "run").exists()


def test_a_data_file_without_its_card_is_refused(attribution, own):
    (own / "market.toml").unlink()
    code, _, err = attribution(
        "fit", "--model", own / "mine.toml", "--data", own / "market.csv", "--quiet"
    )
    assert code == 2 and "no card market.toml beside it" in err
