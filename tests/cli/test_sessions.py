# SPDX-License-Identifier: GPL-2.0-or-later
"""Every session of sessions/*.session: ours against the reference in twin directories, or against the lines given."""

import subprocess
from pathlib import Path

import pytest

import session

USER_NAMESPACES = subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0
FILES = sorted((Path(__file__).parent / "sessions").glob("*.session"))


def _param(each, path):
    marks = []
    if "unshare" in each.steps[0].text:
        marks.append(pytest.mark.skipif(not USER_NAMESPACES, reason="user namespaces are not allowed here"))
    if "ulimit" in each.steps[0].text:
        marks.append(pytest.mark.plain_build)  # a sanitizer needs descriptors of its own
    return pytest.param(each, id=f"{path.stem}: {each.title}", marks=marks)


SESSIONS = [_param(each, path) for path in FILES for each in session.parse(path)]


@pytest.fixture
def subject(each, inotifywait, for_everybody):
    return for_everybody(inotifywait) if "unprivileged" in each.steps[0].text else inotifywait


@pytest.mark.parametrize("each", [param for param in SESSIONS if not param.values[0].explicit])
def test_same_as_reference(each, reference, subject, room):
    theirs = session.play(each, reference, room / "reference")
    ours = session.play(each, subject, room / "ours")
    assert session.render(ours) == session.render(theirs), f"{each.source}: {each.title}"


@pytest.mark.parametrize("each", [param for param in SESSIONS if param.values[0].explicit])
def test_as_written(each, subject, room):
    ours = session.play(each, subject, room / "ours")
    assert session.render(ours) == each.script, f"{each.source}: {each.title}"
