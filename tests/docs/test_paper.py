"""The paper quotes a saved run: every number is read, none is typed, each must be there."""

import copy
import json
import re
import shutil

import pytest


def results_section(docs):
    text = (docs / "paper" / "paper.typ").read_text(encoding="utf-8")
    sections = re.split(r"^= ", text, flags=re.MULTILINE)
    found = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in sections[1:]}
    return found["Results"], found["What the data cannot say"], sections[0]


def literals(text):
    """Numbers in a piece of the paper, but for the digits to which a number is rounded."""
    text = re.sub(r"//.*", "", re.sub(r"digits: \d", "", text))
    return re.findall(r"(?<![\w.])\d[\d.]*", text)


def test_no_result_is_typed(docs):
    results, limits, head = results_section(docs)
    abstract = head.split("*Abstract.*")[1]
    for text in (results, limits, abstract):
        code = re.sub(r"\b\w+\.len\(\) [>+] \d", "", text)
        assert literals(code) == []


@pytest.mark.parametrize("text", ["a fall of 13.2 per cent", "P = 0.9", "about 7 points"])
def test_a_typed_number_is_seen(text):
    assert literals(text)


def write(pages, results, folder):
    for name in pages.BESIDE:
        shutil.copyfile(pages.DOCS / "results" / name, folder / name)
    path = folder / "results.json"
    path.write_text(json.dumps(results), encoding="utf-8")
    pages.write_paper(path, folder / "out")
    return (folder / "out" / "paper.html").read_text(encoding="utf-8")


def test_the_paper_shows_the_numbers_of_the_run(pages, results, tmp_path):
    pytest.importorskip("typst")
    text = write(pages, results, tmp_path)
    for number in ("−12.3", "−7.3", "−3.5", "0.88", "1.004", "778", "an event that never was"):
        assert number in text
    assert "second one" in text
    assert (tmp_path / "out" / "files" / "paper.pdf").read_bytes().startswith(b"%PDF")
    results["windows"]["crash"]["observed"] = -44.4
    assert "−44.4" in write(pages, results, tmp_path)


def test_the_same_run_gives_the_same_bytes(pages, results, tmp_path):
    pytest.importorskip("typst")
    write(pages, results, tmp_path)
    first = (tmp_path / "out" / "files" / "paper.pdf").read_bytes()
    write(pages, results, tmp_path)
    assert (tmp_path / "out" / "files" / "paper.pdf").read_bytes() == first


@pytest.mark.parametrize(
    "missing",
    [
        "event",
        "windows.crash",
        "windows.crash.observed",
        "windows.crash.rows.one_channel.q05",
        "diagnostics.max_rhat",
        "manifest.seed",
        "event_in.scale",
        "event_in.in.crash.other_channel.mean",
        "frozen_commit",
        "findings.1.verdict",
    ],
)
def test_a_missing_number_stops_the_build_in_one_sentence(pages, results, tmp_path, missing):
    broken = copy.deepcopy(results)
    *parents, last = missing.split(".")
    place = broken
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    del place[last]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(pages.PageError) as refusal:
        pages.read_results(path)
    sentence = str(refusal.value)
    assert sentence.startswith("results.json: lacks ")
    assert missing in re.split(r"[ ,;]+", sentence)
    assert sentence.endswith("; save the results of a complete run again")


def test_a_missing_file_stops_the_build_in_one_sentence(pages, tmp_path):
    with pytest.raises(pages.PageError, match=r"results\.json: no such file in .*; copy it there"):
        pages.read_results(tmp_path / "results.json")


def test_the_saved_results_are_complete_and_their_rows_add_up(pages, docs):
    path = docs / "results" / "results.json"
    if not path.is_file():
        pytest.skip("no run has been saved for the paper yet")
    saved = pages.read_results(path)
    for window in saved["windows"].values():
        total = sum(row["mean"] for row in window["rows"].values())
        assert total == pytest.approx(window["observed"], abs=0.01)
