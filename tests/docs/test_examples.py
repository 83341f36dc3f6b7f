"""The examples do what the site shows: each runs as a script and prints the stored lines."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
"""Another processor rounds elsewhere: the last printed digit may be another."""
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_prints_what_the_site_shows(script):
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = script.with_suffix(".txt").read_text(encoding="utf-8")
    assert words(done.stdout) == words(shown)
    for one, other in zip(NUMBER.findall(done.stdout), NUMBER.findall(shown), strict=True):
        digits = max(len(text.partition(".")[2]) for text in (one, other))
        assert abs(float(one) - float(other)) <= 2.01 * 10.0**-digits, (one, other)


def words(text):
    """Everything but numbers; columns are as wide as their numbers."""
    return NUMBER.sub("", text).split()


def test_every_example_is_on_the_site(docs):
    page = (docs / "examples.md").read_text(encoding="utf-8")
    names = [path.stem for path in EXAMPLES.glob("*.py")]
    assert len(names) == 5
    for name in names:
        assert f"../examples/{name}.py" in page and f"../examples/{name}.txt" in page
