"""Malformed frames and files: the numbers of the whole one, or one sentence; never a traceback."""

import re
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from made_up import noise

from attribution.errors import AttributionError
from attribution.model import model_from
from attribution.panel import panel_of, read_evidence, read_panel
from attribution.studies.instruments.rows import columns_of

DAYS = pd.bdate_range("2022-01-03", periods=120, name="date")
START = """
schema = 1
kind = "KIND"
title = "t"
[sample]
start = 2022-01-03
end = 2022-06-17
"""
VAR = (
    START.replace("KIND", "var")
    + """
[event]
name = "e"
outcome = "y"
[[event.windows]]
name = "w"
start = 2022-05-02
end = 2022-05-04
[system]
variables = ["x", "y"]
lags = 1
"""
)
IV = (
    START.replace("KIND", "iv").replace('title = "t"', 'title = "t"\nmethods = ["2sls"]')
    + """
[errors]
covariance = "robust"
[[equations]]
name = "e"
outcome = "y"
endogenous = ["x"]
instruments = ["z"]
lagged = { y = 1 }
reason = "r"
"""
)
EQUAL = ""


def values():
    return noise(DAYS, seed=4).round(6)


def at(frame, row, value, column="x"):
    found = frame.astype({column: object}) if isinstance(value, str) else frame.copy()
    found.iloc[row, found.columns.get_loc(column)] = value
    return found


def indexed(frame, labels, name="date"):
    return frame.set_axis(pd.Index(list(labels), name=name))


def relabelled(frame, row, label):
    labels = list(frame.index)
    labels[row] = label
    return frame.set_axis(pd.Index(labels, name="date"))


def dates_of_python(frame):
    return indexed(frame, pd.Index([day.date() for day in DAYS], dtype=object))


FRAMES = {
    # name: (change, what the VAR says, what the study says); an empty text stands for equal numbers
    "untouched": (lambda f: f, EQUAL, EQUAL),
    "newest row first": (lambda f: f.iloc[::-1], EQUAL, EQUAL),
    "shuffled": (lambda f: f.sample(frac=1.0, random_state=1), EQUAL, EQUAL),
    "dates as texts": (lambda f: indexed(f, DAYS.strftime("%Y-%m-%d")), EQUAL, EQUAL),
    "dates as texts, shuffled": (
        lambda f: indexed(f, DAYS.strftime("%Y-%m-%d")).sample(frac=1.0, random_state=1),
        EQUAL,
        EQUAL,
    ),
    "Python's dates": (dates_of_python, EQUAL, EQUAL),
    "Python's datetimes": (
        lambda f: f.set_axis(pd.Index([d.to_pydatetime() for d in DAYS], dtype=object)),
        EQUAL,
        EQUAL,
    ),
    "periods of days": (lambda f: f.set_axis(DAYS.to_period("D")), EQUAL, EQUAL),
    "one level of a MultiIndex": (
        lambda f: f.set_axis(pd.MultiIndex.from_arrays([DAYS])), EQUAL, EQUAL
    ),
    "seconds as the unit of dates": (lambda f: f.set_axis(DAYS.as_unit("s")), EQUAL, EQUAL),
    "a column of dates": (lambda f: f.reset_index(), EQUAL, EQUAL),
    "a column of dates, shuffled": (
        lambda f: f.sample(frac=1.0, random_state=1).reset_index(), EQUAL, EQUAL
    ),
    "columns in another order": (lambda f: f[["z", "y", "x"]], EQUAL, EQUAL),
    "a spare column of texts": (lambda f: f.assign(note="n"), EQUAL, EQUAL),
    "whole numbers that may be missing": (
        lambda f: (f * 1e6).round().astype("Int64"), None, None
    ),
    "single precision": (lambda f: f.astype("float32"), None, None),
    "instants in UTC": (lambda f: f.tz_localize("UTC"), "instants in UTC", "instants in UTC"),
    "instants in Tokyo": (
        lambda f: f.tz_localize("Asia/Tokyo"), "instants in Asia/Tokyo", "instants in Asia/Tokyo"
    ),
    "zones mixed": (
        lambda f: f.set_axis(
            pd.Index([f.index[0].tz_localize("UTC"), *f.index[1:]], dtype=object)
        ),
        "mixes dates with instants",
        "mixes dates with instants",
    ),
    "closes at four": (
        lambda f: f.set_axis(DAYS + pd.Timedelta(hours=16)), "without a time zone", EQUAL
    ),
    "a date missing": (
        lambda f: relabelled(f, 7, pd.NaT), "empty on row 8", "index is empty on row 8"
    ),
    "a date twice": (
        lambda f: relabelled(f, 7, DAYS[6]), "row 8 .* stands twice", "row 8 .* stands twice"
    ),
    "a row twice": (
        lambda f: pd.concat([f, f.iloc[[5]]]), "stands twice", "row 121 .* stands twice"
    ),
    "a date of another notation": (
        lambda f: indexed(f, DAYS.strftime("%d/%m/%Y")), "is not a date such as", "has? dates and"
    ),
    "a date that is none": (
        lambda f: indexed(f, ["2022-02-31", *DAYS[1:].strftime("%Y-%m-%d")]),
        "'2022-02-31' on row 1",
        "'2022-02-31' on row 1",
    ),
    "one label that is no date": (
        lambda f: indexed(f, [*DAYS[:-1].strftime("%Y-%m-%d"), "total"]),
        "'total' on row 120",
        "'total' on row 120",
    ),
    "dates as whole numbers": (
        lambda f: indexed(f, DAYS.strftime("%Y%m%d").astype(int)),
        "index holds no dates",
        "the rows of the data frame have none",
    ),
    "seconds since 1970": (
        lambda f: indexed(f, DAYS.astype("int64") // 10**9),
        "index holds no dates",
        "the rows of the data frame have none",
    ),
    "days and months": (
        lambda f: indexed(f, ["2022-01", *DAYS[1:].strftime("%Y-%m-%d")]),
        "no monthly label such as '2022-01'",
        "no monthly label such as '2022-01'",
    ),
    "no rows": (lambda f: f.iloc[:0], "no rows or no columns", "has no rows"),
    "one row": (lambda f: f.iloc[:1], "before the event does", "no row has all of its columns"),
    "no columns": (lambda f: f[[]], "no rows or no columns", "no column 'y'"),
    "a column missing": (lambda f: f.drop(columns="x"), "no column 'x'", "no column 'x'"),
    "a column twice": (
        lambda f: pd.concat([f, f[["x"]]], axis=1), "'x' appears twice", "'x' appears twice"
    ),
    "two levels of columns": (
        lambda f: f.set_axis(pd.MultiIndex.from_product([["a"], f.columns]), axis=1),
        "no column 'y'",
        "no column 'y'",
    ),
    "three levels": (
        lambda f: f.set_axis(pd.MultiIndex.from_arrays([["a"] * 120, ["b"] * 120, DAYS])),
        "index has 3 levels",
        "index has 3 levels",
    ),
    "an entity without a name": (
        lambda f: f.set_axis(pd.MultiIndex.from_arrays([[None] * 120, DAYS])),
        "index has 2 levels",
        "names no entity",
    ),
    "infinite": (lambda f: at(f, 9, np.inf), "infinite on 2022-01-14", "infinite on 2022-01-14"),
    "minus infinite": (
        lambda f: at(f, 9, -np.inf), "infinite on 2022-01-14", "infinite on 2022-01-14"
    ),
    "a value missing": (lambda f: at(f, 9, np.nan), "'x' is missing on 1 day", None),
    "a value missing in the window": (
        lambda f: at(f, 86, np.nan), "'x' is missing on 2022-05-03, in the event", None
    ),
    "a column that is empty": (
        lambda f: f.assign(x=np.nan), "'x' was never observed", "no row has all of its columns"
    ),
    "a column that stands still": (lambda f: f.assign(x=1.0), "'x' is 1 on every day", None),
    "two columns alike": (lambda f: f.assign(x=2 * f["y"]), "'x' and 'y' are collinear", None),
    "numbers as texts": (
        lambda f: f.assign(x=f["x"].astype(str)), "'x' holds .*, not numbers", "'x' holds texts"
    ),
    "one text among numbers": (
        lambda f: at(f, 3, "n/a"), "'x' holds object, not numbers", "'x' holds texts"
    ),
    "true and false": (lambda f: f.assign(x=f["x"] > 0), "'x' holds bool, not numbers", None),
    "complex numbers": (lambda f: f.assign(x=f["x"] + 1j), "not numbers", "'x' holds texts"),
    "dates as values": (lambda f: f.assign(x=DAYS), "'x' holds datetime64", "'x' holds texts"),
    "a weekday absent in the window": (
        lambda f: f.drop(pd.Timestamp("2022-05-03")), "lack 2022-05-03", None
    ),
    "three weeks absent": (lambda f: f.drop(DAYS[30:45]), "lacks 15 of its weekdays rows", None),
    "ends before the event": (lambda f: f.iloc[:80], "ends on 2022-04-22, before the event", None),
    "another century": (
        lambda f: f.set_axis(DAYS - pd.DateOffset(years=100)),
        "before the event does",
        "no row of the data frame lies in the sample",
    ),
    "a year that pandas cannot hold": (
        lambda f: indexed(f, ["9999-99-99", *DAYS[1:].strftime("%Y-%m-%d")]),
        "'9999-99-99' on row 1",
        "'9999-99-99' on row 1",
    ),
}  # fmt: skip


def seen_by_the_var(frame):
    return panel_of(frame, model_from(VAR, "m")).values[["x", "y"]].to_numpy()


def seen_by_the_study(frame):
    spec = model_from(IV, "m")
    evidence = read_evidence(spec, frame)
    columns_of(spec.question, spec.question.equations[0], evidence)
    found = evidence.rows
    return found[["x", "y"]].to_numpy(float)


@pytest.mark.parametrize("reader", [seen_by_the_var, seen_by_the_study])
@pytest.mark.parametrize("case", FRAMES)
def test_a_malformed_frame_is_the_same_or_is_refused_in_one_sentence(case, reader):
    change, *answers = FRAMES[case]
    answer = answers[reader is seen_by_the_study]
    frame = change(values())
    before = frame.copy(deep=True)
    try:
        found = reader(frame)
    except AttributionError as error:
        said = str(error)
        assert answer and re.search(answer, said), said
        assert "\n" not in said and "Traceback" not in said
    else:
        assert not answer
        if answer == EQUAL:
            assert np.array_equal(found, values()[["x", "y"]].to_numpy())
    pd.testing.assert_frame_equal(frame, before)  # what is handed over is left alone


HEADER, *BODY = values().reset_index().to_csv(index=False).splitlines()
BODY = [line.replace(" 00:00:00", "") for line in BODY]
CARD = 'schema = 1\nindex = "date"\nunit = "points"\n'


def text(header=HEADER, body=BODY):
    return "\n".join([header, *body]) + "\n"


def put(row, line):
    return [*BODY[:row], line, *BODY[row + 1 :]]


FILES = {
    "untouched": (text(), CARD, EQUAL),
    "newest row first": (text(body=BODY[::-1]), CARD, EQUAL),
    "a byte order mark": ("\ufeff" + text(), "\ufeff" + CARD, EQUAL),
    "ends of lines of Windows": (text().replace("\n", "\r\n"), CARD.replace("\n", "\r\n"), EQUAL),
    "no end of the last line": (text().rstrip("\n"), CARD, EQUAL),
    "empty lines between": (text(body=[*BODY[:9], "", *BODY[9:]]), CARD, EQUAL),
    "cells in quotes": (text(body=put(3, re.sub("([^,]+)", r'"\1"', BODY[3]))), CARD, EQUAL),
    "blanks in the header": (text(header="date , x,y , z"), CARD, EQUAL),
    "a row twice": (text(body=[*BODY, BODY[4]]), CARD, EQUAL),
    "nothing": ("", CARD, "an empty file"),
    "a header alone": (HEADER + "\n", CARD, "a header without rows"),
    "no header": (text(header=BODY[0]), CARD, "column 'y' is not defined"),
    "semicolons": (text().replace(",", ";"), CARD, "separated by semicolons"),
    "a decimal comma": (text(body=put(3, "2022-01-06,1,5,2,3")), CARD, "row 4 .* has 5 cells"),
    "a row too short": (text(body=put(3, "2022-01-06,1")), CARD, "row 4 .* has 2 cells"),
    "an open quote": (text(body=put(3, '2022-01-06,"1,2,3')), CARD, "not valid CSV"),
    "a thousands separator": (text(body=put(3, '2022-01-06,"1,000",2,3')), CARD, "'1,000' on row"),
    "a word for missing": (text(body=put(3, "2022-01-06,N/A,2,3")), CARD, "'N/A' on row 4"),
    "infinite": (text(body=put(3, "2022-01-06,inf,2,3")), CARD, "'inf' on row 4"),
    "not a number": (text(body=put(3, "2022-01-06,nan,2,3")), CARD, "'nan' on row 4"),
    "underscores": (text(body=put(3, "2022-01-06,1_0,2,3")), CARD, "'1_0' on row 4"),
    "a cell empty": (text(body=put(3, "2022-01-06,,2,3")), CARD, "'x' is missing on 1 day"),
    "a date empty": (text(body=put(3, ",1,2,3")), CARD, "holds nothing on row 4"),
    "an American date": (text(body=put(3, "01/06/2022,1,2,3")), CARD, "'01/06/2022' on row 4"),
    "an instant without a zone": (
        text(body=put(3, "2022-01-06 16:00,1,2,3")), CARD, "without a time zone on row 4"
    ),
    "two rows of a date": (text(body=[*BODY, BODY[4] + "1"]), CARD, "appears twice with different"),
    "a column twice": (text(header="date,x,y,x"), CARD, "column 'x' appears twice"),
    "a weekday absent in the window": (
        text(body=[line for line in BODY if "2022-05-03" not in line]), CARD, "lack 2022-05-03"
    ),
    "two weeks absent": (text(body=BODY[:30] + BODY[40:]), CARD, "lacks 10 of its weekdays rows"),
    "a stray year": (
        text(body=put(3, BODY[3].replace("2022", "2002"))), CARD, "correct a date that strays"
    ),
    "a card that is empty": (text(), "", "key 'schema' is missing"),
    "a card of garbage": (text(), "schema = = 1", "not valid TOML"),
    "a card with an unknown key": (text(), CARD + 'calender = "XNYS"\n', "nearest: 'calendar'"),
    "a card with another calendar": (text(), CARD + 'calendar = "daily"\n', "daily calendar"),
    "a zero byte": (text(body=put(3, "2022-01-06,1\0,2,3")), CARD, "row 4|not valid CSV"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_malformed_file_is_the_same_or_is_refused_in_one_sentence(case, tmp_path):
    content, card, answer = FILES[case]
    (tmp_path / "d.csv").write_bytes(content.encode())
    (tmp_path / "d.toml").write_bytes(card.encode())
    try:
        found = read_panel(model_from(VAR, "m"), str(tmp_path / "d.csv")).values
    except AttributionError as error:
        said = str(error)
        assert answer and re.search(answer, said), said
        assert "\n" not in said
    else:
        assert answer == EQUAL
        assert np.array_equal(found[["x", "y"]].to_numpy(), values()[["x", "y"]].to_numpy())


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("utf-16", "not a text file"), ("latin-1", "not a text file")],
)
def test_a_file_of_another_encoding_is_refused(tmp_path, encoding, message):
    header = HEADER.replace("z", "größe")
    (tmp_path / "d.csv").write_bytes(text(header=header).encode(encoding))
    (tmp_path / "d.toml").write_text(CARD)
    with pytest.raises(AttributionError, match=message):
        read_panel(model_from(VAR, "m"), tmp_path / "d.csv")


@pytest.mark.parametrize("data", [3, [1.0], {"x": [1.0]}, date(2022, 1, 3), datetime(2022, 1, 3)])
def test_what_is_neither_a_path_nor_a_frame_is_refused(data):
    with pytest.raises(AttributionError, match="is neither a path nor a pandas DataFrame"):
        read_evidence(model_from(IV, "m"), data)


def test_a_path_that_leads_nowhere_is_refused():
    for read in (lambda: read_panel(model_from(VAR, "m"), "no/such/file.csv"),
                 lambda: read_evidence(model_from(IV, "m"), "no/such/file.csv")):  # fmt: skip
        with pytest.raises(AttributionError, match="no such file or folder"):
            read()


def test_there_are_at_least_sixty_of_them():
    assert len(FRAMES) + len(FILES) >= 60
