"""The repository speaks of the project alone: no machine's paths, no hosts, nothing left to do."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve()
BESIDE = {  # tests that use published replication data where a checkout has them beside it
    "tests/reference/README.md",
    "tests/reference/test_kilian2009.py",
    "tests/reference/test_lutkepohl2005.py",
}
SEEKS = {"tests/panel/test_shipped_data.py"}  # looks for the same words in the data
FORBIDDEN = {
    "a path of one machine": r"(?<![\w./-])/(?:work|root|tmp|home|Users|mnt)/[\w.]",
    "a host of a package registry": (
        r"pypi\.org|pythonhosted|artifactory|nexus\.|jfrog|devpi|proxy\.golang|--index-url"
        r"|extra-index|localhost:\d|\b(?:10|192\.168|172\.16)\.\d+\.\d+(?:\.\d+)?:\d"
    ),
    "a folder that is not in the repository": r"\bshared/",
    "something left to do": r"\b(?:TODO|FIXME|XXX|HACK)\b",
    "how it is written": r"(?i)\b(?:chatgpt|claude|copilot|language model|llm)\b|as an ai\b",
}


def files():
    """Every text that is tracked, or would be."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout: the list of tracked files is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path != HERE and b"\0" not in (data := path.read_bytes()):
            yield name, data.decode("utf-8")


def found(pattern, allowed=frozenset()):
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in files()
        if name not in allowed
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_text_contains(what):
    assert found(FORBIDDEN[what], BESIDE if "folder" in what else SEEKS) == []


def test_what_lies_beside_the_checkout_is_optional():
    """A test that looks there skips where it is not."""
    for name in BESIDE:
        if name.endswith(".py"):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert "shared/replication" in text and "skip" in text


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of one machine", "read /work/main/data"),
        ("a path of one machine", 'open("/tmp/v/p11")'),
        ("a path of one machine", "in /root/.cache"),
        ("a host of a package registry", "https://pypi.org/simple"),
        ("a host of a package registry", "http://10.1.2.3:8080"),
        ("a folder that is not in the repository", "see shared/design.md"),
        ("something left to do", "# TODO: later"),
        ("how it is written", "written by an LLM"),
    ],
)
def test_what_is_forbidden_would_be_seen(what, line):
    assert re.search(FORBIDDEN[what], line)


@pytest.mark.parametrize(
    "line", ["a framework/of thought", "../../work/x.py", "docs/home/index", "shared shocks"]
)
def test_plain_words_are_free(line):
    assert not any(re.search(pattern, line) for pattern in FORBIDDEN.values())


def test_texts_were_found_at_all():
    assert {"README.md", "pyproject.toml", "attribution/cli/options.py"} <= {
        name for name, _ in files()
    }
