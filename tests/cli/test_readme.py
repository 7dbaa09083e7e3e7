# SPDX-License-Identifier: GPL-2.0-or-later
"""The sessions of the README, and of its Chinese sister, run as they are printed and say what is printed there."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from program import is_waiting, wait_until

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / ".github/README.zh-CN.md"]


def session_of(page):
    """[(command, what it leads to)]: all sessions of a page, which go on from one to the next."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.M | re.S):
        for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            steps.append(step)
    return steps


def plain(text):
    """Without what is different each time: the hour, how long it took, bytes on the wire."""
    text = re.sub(r"^\d\d:\d\d:\d\d ", "TIME ", text, flags=re.M)
    text = re.sub(r"[\d.]+ k?B in [\d.]+ s", "BYTES in SECONDS", text)
    # What goes in one batch on an idle machine may go in two on a busy one.
    text = re.sub(r"(^TIME copy (?!in step).*\n)+", "A BATCH\n", text, flags=re.M)
    return re.sub(r'"time":"[^"]*"', '"time":"TIME"', text)


class Session:
    """A prompt at which at most one program runs in the background."""

    def __init__(self, room, environment):
        self.room, self.environment, self.program = room, environment, None
        self.said = room / ".said"
        self.said.touch()
        self.told = 0

    def start(self, command, stdin=subprocess.DEVNULL):
        with self.said.open("ab") as said:
            return subprocess.Popen(["bash", "-c", command], cwd=self.room, env=self.environment, stdin=stdin, stdout=said,
                                    stderr=said)

    def wait_said(self, text):
        def news():
            return self.said.read_text()[self.told:]

        wait_until(lambda: plain(news()) == plain(text), lambda: f"{plain(text)!r}, but it is {plain(news())!r}")
        self.told += len(news())

    def play(self, command, text):
        if command == "kill %1":
            self.program.send_signal(signal.SIGTERM)
            self.program.wait(30)
            if not text:  # a last batch may come late
                self.told = self.said.stat().st_size
        elif command.endswith("&"):
            self.close()
            self.program = self.start("exec " + command.removesuffix("&"))
            wait_until(lambda: is_waiting(self.program.pid, finite=True), f"{command} waits")
        else:
            assert self.start(command).wait(30) == 0
        self.wait_said(text)

    def close(self):
        if self.program and self.program.poll() is None:
            self.program.kill()
            self.program.wait()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sessions(page, inotifywait, room):
    steps = session_of(page)
    assert len(steps) > 10
    tools = inotifywait.parents[1]
    path = ":".join(str(tools / name) for name in ("inotifywait", "inotifywatch", "inotifysync"))
    session = Session(room, dict(os.environ, PATH=f"{path}:{os.environ['PATH']}"))
    try:
        for command, text in steps:
            session.play(command, text)
    finally:
        session.close()


@pytest.mark.parametrize("page", [*PAGES, ROOT / ".github/CONTRIBUTING.md", ROOT / ".github/CHANGELOG.md"],
                         ids=lambda page: page.name)
def test_what_is_pointed_to_is_there(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:scripts|tests|tools|man|libnotify_core)/[\w./@-]+)`", text):
        assert (ROOT / path).exists(), path
