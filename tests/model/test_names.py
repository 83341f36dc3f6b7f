"""Every name in a model file is one that the model, its data or a shipped table knows, or refused.

Names are misspelt one at a time in shipped models whose table stands in the file itself.
"""

import copy
import tomllib
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

import attribution as at
from attribution.content import content
from attribution.errors import AttributionError, SpecError
from attribution.fit import with_event
from attribution.fit.path import refuse_unknown_series
from attribution.model import model_from, read_model
from attribution.panel import catalogue

TEXTS = {
    "title",
    "panel",
    "reason",
    "source",
    "name",
    "references",
    "kind",
    "claim",
    "direction",
    "sign",
}
DAYS = pd.bdate_range("2024-01-01", periods=260, name="date")
SVAR = f"""
schema = 1
kind = "svar"
title = "two shocks, one of them told by a day"
[sample]
start = {DAYS[0]:%Y-%m-%d}
end = {DAYS[-1]:%Y-%m-%d}
[event]
name = "a day"
outcome = "y"
[[event.windows]]
name = "day"
start = {DAYS[250]:%Y-%m-%d}
end = {DAYS[250]:%Y-%m-%d}
[system]
variables = ["x", "y"]
lags = 1
[identification]
reason = "r"
source = "s"
[identification.channels]
demand = "demand"
supply = "supply"
[identification.cells]
x.demand = {{ sign = "+" }}
y.demand = {{ sign = "+" }}
x.supply = {{ sign = "+" }}
y.supply = {{ sign = "-" }}
[[identification.narratives]]
channel = "demand"
claim = "positive"
date = {DAYS[200]:%Y-%m-%d}
"""
SIGNS = f"""
schema = 1
kind = "bvar_signs"
title = "two channels"
[sample]
start = {DAYS[0]:%Y-%m-%d}
end = {DAYS[-1]:%Y-%m-%d}
[event]
name = "a day"
outcome = "price"
[[event.windows]]
name = "day"
start = {DAYS[250]:%Y-%m-%d}
end = {DAYS[250]:%Y-%m-%d}
[system]
variables = ["price", "software", "fear"]
lags = 1
tests = ["basis"]
"""
CELLS = """
outcome = "price"
direction = "-"
reason = "r"
source = "s"
[channels]
risk = "flight"
native = "coin only"
[cells]
software.risk = { at_most = -0.3 }
software.native = { between = [-0.2, 0.2] }
fear.risk = { at_least = 0.2 }
volume.native = { at_least = 0.1 }
"""
EXPECTED = """
[[expectations]]
series = "basis"
channel = "risk"
sign = "+"
reason = "it is made so"
[[expectations]]
series = "basis"
channel = "native"
sign = "+"
reason = "it is made the other way"
"""


def inlined(name):
    """Contents of a shipped model, with the cells of its table that its system can read."""
    values = tomllib.loads((content("models") / f"{name}.toml").read_text(encoding="utf-8"))
    table = values.get("identification", {}).pop("table", None)
    if table is not None:
        path = content("models") / "tables" / f"{table}.toml"
        claims = tomllib.loads(path.read_text(encoding="utf-8"))
        system = values["system"]
        read = {*system["variables"], *system.get("auxiliary", ())}
        claims["cells"] = {key: row for key, row in claims["cells"].items() if key in read}
        claims = {key: row for key, row in claims.items() if key not in ("schema", "kind")}
        values["identification"] |= claims
    return values


def names_in(values, path=()):
    """Places of every key and of every text that stands for a name."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield True, (*path, key)
            if key not in TEXTS and path[-2:] != ("identification", "channels"):
                yield from names_in(value, (*path, key))
    elif isinstance(values, list):
        for place, value in enumerate(values):
            yield from names_in(value, (*path, place))
    elif isinstance(values, str) and path[-2] != "channels":
        yield False, path


def misspelt(values, is_key, path):
    values = copy.deepcopy(values)
    here = values
    for step in path[:-1]:
        here = here[step]
    last = path[-1]
    if is_key:
        old = dict(here)
        here.clear()
        here |= {f"{key[:-2]}x{key[-2:]}" if key == last else key: v for key, v in old.items()}
    else:
        here[last] = f"{here[last][:-2]}x{here[last][-2:]}"
    return values


def read(values, columns):
    spec = model_from(values)
    assert set(spec.columns) <= columns or not columns
    refuse_unknown_series(spec, columns)


@pytest.mark.parametrize("name", ["var", "bvar_signs", "coarse", "factor", "bvar"])
def test_no_misspelt_name_of_a_model_file_passes_without_a_word(name):
    values = inlined(name)
    columns = set(catalogue.find_data("daily")[0].columns)
    read(values, columns)
    places = list(names_in(values))
    assert len(places) > 30
    for is_key, path in places:
        with pytest.raises((AttributionError, AssertionError)):
            read(misspelt(values, is_key, path), columns)


def test_a_cell_about_no_variable_is_refused_by_the_restrictions_alone_too():
    section = CELLS.replace("[c", "[identification.c")
    text = SIGNS + "[identification]\n" + section.replace("volume", "fear")
    assert model_from(text).identification.cells
    with pytest.raises(SpecError, match=r"restricts 'sofware', .*nearest: 'software'\); add it"):
        model_from(text.replace("software.risk", "sofware.risk"))


def made(seed=3):
    """Prices of two shocks that obey the cells, and a basis that the first raises."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((len(DAYS), 3))
    e[250] = [3.0, 1.0, 0.0]
    frame = pd.DataFrame(
        {
            "price": -e[:, 0] - 0.8 * e[:, 1],
            "software": -0.8 * e[:, 0] + 0.1 * e[:, 2],
            "fear": 0.9 * e[:, 0] + 0.3 * e[:, 2],
            "basis": 2.0 * e[:, 0] - 1.5 * e[:, 1] + 0.2 * rng.standard_normal(len(DAYS)),
        },
        DAYS,
    )
    return frame


def shared(tmp_path, cells=CELLS, more=""):
    (tmp_path / "cells.toml").write_text(cells, encoding="utf-8")
    model = tmp_path / "signs.toml"
    text = SIGNS + '[identification]\ntable = "cells.toml"\n' + more
    model.write_text(text, encoding="utf-8")
    return str(model)


QUICK = at.Settings(draws=2000, seed=4)


def test_a_shared_table_may_speak_of_other_columns_and_of_nothing_unknown(tmp_path):
    """What the data have, or another shipped table speaks of, does not count here and is said."""
    data = made()
    with pytest.raises(SpecError, match="'volume', which is neither a variable nor a column of"):
        at.fit(shared(tmp_path), data=data, settings=QUICK)
    data["volume"] = 1.0
    run = at.fit(shared(tmp_path), data=data, settings=QUICK)
    assert run.manifest["notes"]["cells_that_do_not_count"] == ["volume"]
    with pytest.raises(SpecError, match=r"'sofware'.*nearest: 'software'"):
        at.fit(shared(tmp_path, CELLS.replace("software.r", "sofware.r")), data=data)
    refuse_unknown_series(read_model("bvar_signs"), set())


def test_the_restrictions_alone_are_asked_what_a_model_expects(tmp_path):
    """The basis is twice the first shock less one and a half times the second, by construction."""
    data = made().assign(volume=1.0)
    run = at.fit(shared(tmp_path, more=EXPECTED), data=data, settings=QUICK)
    found = {finding["name"]: finding for finding in run.manifest["findings"]}
    assert "tests not asked" not in found
    assert found["basis: risk"]["verdict"] == "holds"
    assert found["basis: native"]["verdict"] == "fails"
    silent = at.fit(shared(tmp_path), data=data, settings=QUICK)
    (said,) = [f for f in silent.manifest["findings"] if f["name"] == "tests not asked"]
    assert (said["verdict"], "basis" in said["evidence"]) == ("untestable", True)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ('[[exposures]]\nchannel = "risk"\ncolumn = "fear"\nreason = "r"', r"\[\[exposures\]\]"),
        ('[structural]\nunnamed = ["software"]', r"\[structural\]"),
    ],
)
def test_sections_that_the_restrictions_alone_do_not_read_are_refused(tmp_path, section, named):
    with pytest.raises(SpecError, match=f"{named} belongs to kind 'bvar'"):
        read_model(shared(tmp_path, more=section))


def test_a_recursive_model_refuses_the_prior_and_the_questions_that_it_would_not_read():
    text = SIGNS.replace("bvar_signs", "var")
    assert model_from(text).kind == "var"
    with pytest.raises(SpecError, match="is least squares and has no prior"):
        model_from(f"{text}\n[prior]\ntightness = 0.1")
    with pytest.raises(SpecError, match="belongs to kind 'bvar'"):
        model_from(text + EXPECTED.replace("risk", "software").replace("native", "fear"))


def test_another_event_is_checked_like_the_file_s_own():
    """A narrative that the new window holds would be assumed and then found."""
    spec = model_from(SVAR)
    inside, before, after = (DAYS[at].date() for at in (200, 199, 220))
    refusal = "touches the days held out for the event"
    with pytest.raises(SpecError, match=refusal):
        with_event(spec, before, inside)
    with pytest.raises(SpecError, match=refusal):
        at.fit(spec, event=(inside, inside))
    event = replace(spec.event, windows=(), hold_out=(before, inside))
    window = replace(spec.event.windows[0], start=inside, end=inside)
    with pytest.raises(SpecError, match=refusal):
        at.fit(replace(spec, event=replace(event, windows=(window,))))
    assert with_event(spec, after, after).event.hold_out == (after, after)
    open_ = SVAR + "inside_event = true\n"
    assert with_event(model_from(open_), inside, inside).event.asked


def test_a_value_made_in_memory_is_checked_before_anything_is_read():
    spec = model_from(SVAR)
    odd = replace(spec, system=replace(spec.system, levels=("z",)))
    early = replace(spec, sample=replace(spec.sample, end=date(2024, 6, 3)))
    with pytest.raises(SpecError, match=r"levels names 'z'"):
        at.fit(odd)
    with pytest.raises(SpecError, match="is not inside the sample"):
        at.fit(early)
