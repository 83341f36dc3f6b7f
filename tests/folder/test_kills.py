"""Killed at any moment, a writer leaves one whole state, and every file of the user's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a child of a fork")
PROGRAM = Path(__file__).with_name("kills.py")


def killed(which, place):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), which, str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("which", ["beside", "inside"])
def test_a_writer_killed_before_any_change_of_the_folder_leaves_all_old_or_all_new(which, tmp_path):
    """By an exchange of folders; where there is none, by an intent that the next one completes."""
    found = killed(which, tmp_path)
    assert found["calls"] > 30 and 0 < found["old"] < found["calls"]


def test_two_hundred_kills_at_random_moments_leave_all_old_or_all_new(tmp_path):
    found = killed("moments", tmp_path)
    assert found["old"] + found["new"] == 200 and found["new"] > 10 and found["old"] > 10


def test_a_run_opens_whole_after_a_kill_before_any_change(tmp_path):
    found = killed("runs", tmp_path)
    assert found["old"] > 10 and found["new"] > 5


@pytest.mark.slow
def test_a_run_opens_whole_after_two_hundred_kills_at_random_moments(tmp_path):
    found = killed("random", tmp_path)
    assert found["old"] + found["new"] == 200
