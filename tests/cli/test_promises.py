# SPDX-License-Identifier: GPL-2.0-or-later
"""What the README promises is kept by tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def promises():
    """The points of the sections that promise something, each as one line."""
    text = (ROOT / "README.md").read_text()
    points = []
    for title in ("What is promised", "Security"):
        section = re.search(rf"^## {title}\n(.*?)(?=^## )", text, re.M | re.S)
        assert section, title
        points += [" ".join(point.split()) for point in re.findall(r"^- (.*?)(?=^- |^\n|\Z)", section[1], re.M | re.S)]
    return points


def is_there(name):
    """A test file, a test, or a script with its arguments."""
    if name.startswith("scripts/"):
        return (ROOT / name.split()[0]).exists()
    if name.endswith(".py"):
        return any(ROOT.glob(f"tests/*/{Path(name).name}"))
    sources = ROOT.glob("tests/*/test_*.py")
    return any(re.search(rf"^def {name}\(", source.read_text(), re.M) for source in sources)


def kept_by(point):
    return [name for name in re.findall(r"`([^`]+)`", point) if re.match(r"(tests/|test_|scripts/)", name)]


def test_every_promise_names_a_test_that_is_there():
    points = promises()
    assert len(points) > 10
    for point in points:
        names = kept_by(point)
        assert any("test_" in name for name in names), f"nothing keeps: {point}"
        for name in names:
            assert is_there(name), f"{name} is not there; it should keep: {point}"


def test_a_name_that_is_not_there_is_noticed():
    assert not is_there("test_of_something_that_nobody_wrote") and not is_there("tests/cli/test_nothing.py")
    assert not is_there("scripts/nothing") and is_there("test_every_promise_names_a_test_that_is_there")
