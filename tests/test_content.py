"""Numbers that documents quote belong to the model and the data that are shipped."""

import json
from pathlib import Path

import pytest

from attribution.content import content
from attribution.errors import SpecError
from attribution.model import model_names, read_model
from attribution.model.audit import read_audit
from attribution.model.study import StudySpec
from attribution.panel import read_evidence, read_panel
from attribution.runs.run import digest_of

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "results.json"


def stale(quoted, model="bvar"):
    """What of a results file does not belong to the shipped model and data."""
    spec = read_model(model)
    shipped = {"model_digest": digest_of(spec), "data_digest": read_panel(spec).digest}
    return [name for name, digest in shipped.items() if quoted["manifest"].get(name) != digest]


@pytest.fixture
def quoted():
    if not RESULTS.is_file():
        pytest.skip("docs/results/results.json is not there: no headline run is quoted yet")
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_quoted_numbers_are_those_of_the_shipped_model_and_data(quoted):
    assert quoted["model"] == "bvar"
    assert stale(quoted) == [], "fit bvar again and copy its results.json to docs/results"


def test_quoted_windows_are_those_of_the_shipped_model_and_add_up(quoted):
    assert list(quoted["windows"]) == [window.name for window in read_model("bvar").event.windows]
    for name, window in quoted["windows"].items():
        total = sum(row["mean"] for row in window["rows"].values())
        assert total == pytest.approx(window["observed"], abs=1e-9), name


def test_quoted_draws_converged(quoted):
    said = quoted["diagnostics"]
    assert said["max_rhat"] <= 1.01
    assert min(said["min_ess_bulk"], said["min_ess_tail"]) >= 400
    assert said["divergences"] == 0


def test_quoted_studies_are_those_of_the_shipped_models_and_data():
    studies = json.loads(RESULTS.with_name("studies.json").read_text(encoding="utf-8"))
    wanted = {name for name in model_names() if isinstance(read_model(name), StudySpec)}
    assert set(studies) == wanted
    for name, quoted in studies.items():
        spec = read_model(name)
        assert quoted["manifest"]["model_digest"] == digest_of(spec), f"fit {name} again"
        assert quoted["manifest"]["data_digest"] == read_evidence(spec).digest, f"fit {name} again"


def test_the_quoted_audit_is_of_the_shipped_claims(quoted):
    audit = json.loads(RESULTS.with_name("claims.json").read_text(encoding="utf-8"))
    shipped = [claim.id for claim in read_audit("essay").claims]
    assert [claim["id"] for claim in audit["claims"]] == shipped
    assert sum(audit["counts"].values()) == len(shipped)


def test_numbers_of_another_model_or_of_other_data_are_seen_as_stale():
    spec = read_model("bvar")
    fresh = {"model_digest": digest_of(spec), "data_digest": read_panel(spec).digest}
    assert stale({"manifest": fresh}) == []
    for name in fresh:
        assert stale({"manifest": fresh | {name: "0" * 64}}) == [name]
    assert stale({"manifest": fresh | {"model_digest": digest_of(read_model("bvar_signs"))}})


def test_no_two_shipped_models_share_a_digest():
    digests = {digest_of(read_model(name)) for name in model_names()}
    assert len(digests) == len(model_names())


def test_content_that_a_build_lacks_is_refused():
    with pytest.raises(SpecError, match="lacks its weights/ folder; reinstall"):
        content("weights")


def test_the_readme_quotes_the_headline_of_the_saved_run(quoted):
    readme = (RESULTS.parents[2] / "README.md").read_text(encoding="utf-8")
    assert quoted["headline"] in readme


def test_the_claim_that_treatments_of_the_event_agree_is_true(quoted):
    """The README says so: every mean lies inside the 90 % interval of the other treatments."""
    ways = [quoted["event_in"][way]["crash"] for way in ("out", "scale", "in")]
    for one in ways:
        for other in ways:
            for channel, row in one.items():
                assert other[channel]["q05"] <= row["mean"] <= other[channel]["q95"], channel


def test_the_companion_without_noise_shocks_names_another_channel_as_the_readme_says(quoted):
    rows = quoted["companions"]["bvar_signs"]["windows"]["crash"]["rows"]
    assert max(rows, key=lambda name: rows[name].get("p_largest", 0)) == "barrier_hedging"
    aside = next(f for f in quoted["findings"] if f["name"] == "series set aside")
    assert "dvol_change" in aside["evidence"]
