"""The page of the mechanics runs, and each line gives the number that stands behind it."""

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mechanics.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
SAID = re.compile(r"^(?P<line>\S.*?)  # (?P<number>-?\d+(?:\.(?P<digits>\d+))?)$")


def test_every_line_gives_its_number():
    names, checked = {}, 0
    for block in BLOCKS:
        exec(block, names)
        for line in block.splitlines():
            if found := SAID.match(line):
                digits = len(found["digits"] or "")
                value = float(eval(found["line"], names))
                assert round(value, digits) == float(found["number"]), line
                checked += 1
    assert checked >= 12


def test_a_path_that_comes_back_closes_nothing_and_longs_are_sold():
    names = {}
    for block in BLOCKS[:2]:
        exec(block, names)
    flow = names["forced_flow"].forced_flow(names["longs"], [73e3, 66e3, 62e3, 66e3])
    assert flow[0] == flow[-1] == 0.0
    assert (flow[1:3] < 0.0).all()
    assert names["day"].move[0] == pytest.approx(
        -0.03
        + names["law"].move(
            -500.0 + np.interp(names["day"].move[0], names["table"].move, names["table"].flow)
        ),
        abs=1e-9,
    )
