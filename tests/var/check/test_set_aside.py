"""A series whose own shock jumped on an event day is named: it was set aside, not explained."""

import pandas as pd

from attribution.var.kinds.bvar import set_aside

CHANNELS = ("derisking", "hedging")


def jumps(**columns):
    days = pd.DatetimeIndex(["2026-02-04", "2026-02-05"])
    return pd.DataFrame(columns, index=days)


def test_a_series_whose_own_shock_is_likelier_than_not_to_have_jumped_is_named():
    found = set_aside(
        jumps(derisking=[0.0, 0.0], hedging=[0.1, 0.0], volatility_noise=[0.2, 0.91]), CHANNELS
    )
    assert found.verdict == "undecided"
    assert "volatility_noise on 2026-02-05 (0.91)" in found.evidence
    assert "2026-02-04" not in found.evidence


def test_a_jump_of_a_channel_is_an_answer_and_no_reason_to_set_a_series_aside():
    found = set_aside(
        jumps(derisking=[0.9, 0.9], hedging=[0.1, 0.1], volatility_noise=[0.0, 0.0]), CHANNELS
    )
    assert found.verdict == "holds"
