"""A rival as one more column: refused where the series cannot tell, answered where they can."""

import pytest

from attribution.errors import IdentificationError
from attribution.fit import Settings
from attribution.fit.path import with_event
from attribution.fit.rival import fit_with_rival
from attribution.model import read_model

SEPARABLE = """
schema = 1
kind = "identification"
outcome = "btc_return"
direction = "-"
reason = "gold is bought with what bitcoin brings"
source = "this test"

[channels]
gold_rotation = "bitcoin is sold to buy gold"

[cells.gold_return]
gold_rotation = { at_least = 0.5 }

[cells.igv_return]
gold_rotation = { between = [-0.15, 0.05] }
"""


@pytest.mark.parametrize("rival", ["yen_carry", "october_continuation"])
def test_the_shipped_rivals_cannot_be_told_from_the_channels(rival):
    """Their marks, the yen and hourly open interest, are not among the shipped series."""
    with pytest.raises(IdentificationError, match="these data cannot tell them apart; its mark is"):
        fit_with_rival(read_model("bvar"), rival)


def test_a_rival_that_gold_tells_apart_is_weighed(tmp_path):
    path = tmp_path / "gold.toml"
    path.write_text(SEPARABLE, encoding="utf-8")
    spec = read_model("bvar_signs")
    day = spec.event.windows[0].start
    run = fit_with_rival(
        with_event(spec, day, day), str(path), settings=Settings(draws=4000, seed=3)
    )
    assert "gold_rotation" in run.tree["posterior/channel"].to_numpy()
    (finding,) = [f for f in run.manifest["findings"] if f["name"] == "rival gold_rotation"]
    assert "spot_selling" in finding["evidence"]
    assert run.tree.attrs["title"].endswith("rival gold_rotation")
