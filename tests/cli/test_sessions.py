# SPDX-License-Identifier: GPL-2.0-or-later
"""Every session of sessions/*.session: ours against the reference in twin directories, or against the lines given."""

from pathlib import Path

import pytest

import session

FILES = sorted((Path(__file__).parent / "sessions").glob("*.session"))
SESSIONS = [pytest.param(each, id=f"{path.stem}: {each.title}") for path in FILES for each in session.parse(path)]


@pytest.mark.parametrize("each", [param for param in SESSIONS if not param.values[0].explicit])
def test_same_as_reference(each, reference, inotifywait, room):
    theirs = session.play(each, reference, room / "reference")
    ours = session.play(each, inotifywait, room / "ours")
    assert session.render(ours) == session.render(theirs), f"{each.source}: {each.title}"


@pytest.mark.parametrize("each", [param for param in SESSIONS if param.values[0].explicit])
def test_as_written(each, inotifywait, room):
    ours = session.play(each, inotifywait, room / "ours")
    assert session.render(ours) == each.script, f"{each.source}: {each.title}"
