# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page, --help and the code name the same options and events; the examples of the page run as printed."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from program import furnish, is_waiting, wait_until

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "man/inotifywait.1"
TABLE = ROOT / "tools/inotifywait/option_table.cpp"
EVENTS = ROOT / "libnotify_core/event/event_mask.hpp"
GONE = {"--filename", "-f"}  # told of in the page, but no longer offered by --help


def section(title):
    text = PAGE.read_text()
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh )", text, re.M | re.S).group(1)


def options_of_page():
    names = set()
    for item in re.findall(r"^\.It (Fl .*)$", section("OPTIONS"), re.M):
        for name in re.findall(r"Fl (\S+)", item):
            names.add(f"-{name}")
    return names


def options_of_help(text):
    names = set()
    for row in re.findall(r"^\t(-\S+)", text, re.M):
        names.update(row.split("|"))
    return names - {"-qq"}


def options_of_code():
    names = set()
    for name, letter in re.findall(r'^    {"([a-z-]+)", (0|\'.\'), Argument::', TABLE.read_text(), re.M):
        names.add(f"--{name}")
        if letter != "0":
            names.add(f"-{letter[1]}")
    return names


def help_of(program):
    done = subprocess.run([program, "--help"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == ""
    return done.stdout


def test_options_are_the_same_everywhere(inotifywait):
    code = options_of_code()
    assert len(code) > 30
    assert options_of_page() == code
    assert options_of_help(help_of(inotifywait)) == code - GONE


def test_synopsis_names_every_letter():
    letters = {name[1] for name in options_of_code() if len(name) == 2} - {"f"}
    synopsis = section("SYNOPSIS")
    named = set(re.search(r"^\.Op Fl (\S+)$", synopsis, re.M).group(1))
    named.update(re.findall(r"Fl (\w)\b", synopsis))
    assert named == letters


def test_new_options_are_told_apart():
    """The page says which options are new; they are those which the table marks as added."""
    marked = set()
    for name, row in re.findall(r'^    {"([a-z-]+)", (.*?)},\n', TABLE.read_text(), re.M | re.S):
        if re.search(r'",\s*true$', row):
            marked.add(f"--{name}")
    listed = section("DIFFERENCES FROM INOTIFY-TOOLS").partition("The options\n")[2]
    assert set(re.findall(r"^\.Fl (-\S+)", listed, re.M)) - {"-timefmt"} == {name[1:] for name in marked}


def test_events_are_the_same_everywhere(inotifywait):
    rows = re.findall(r'^    {"(\w+)", [^"]*?"(\w*)",\s*"(.*)"},?$', EVENTS.read_text(), re.M)
    rows += re.findall(r'^    {"(\w+)", [^"]*?"(\w*)",\n\s*"(.*)"},?$', EVENTS.read_text(), re.M)
    offered = {name for name, _, words in rows if words}
    assert len(offered) == 15
    table = section("EVENTS")
    of_page = re.findall(r"^\.It (\w+) Ta (\S+) Ta ", table, re.M)
    assert {name for name, _ in of_page} == offered
    for name, printed in of_page:
        assert printed == r"\(em" or name.upper() in printed.split(",")
    hidden = {name for name, _, words in rows if not words}
    assert hidden == set(re.findall(r"^\.Ql (\w+)", table.partition("These names are taken too")[2], re.M))
    listed = help_of(inotifywait).partition("Events:\n")[2]
    assert set(re.findall(r"^\t([a-z_]+)\t", listed, re.M)) == offered


def test_page_is_clean():
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc (apt-get install mandoc)")
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGE], capture_output=True, text=True)
    # Which other pages are installed is no matter of ours.
    assert [line for line in done.stdout.splitlines() if "referenced manual not found" not in line] == []


# What to do while an example of the page waits, and a word that it must have said by then; examples that are not
# here do not exist.
EXAMPLES = {
    "while inotifywait -qq -r": (["touch src/main.c"], "checked"),
    "inotifywait -m -q -r -0": (["echo x > 'incoming/a b'"], "complete: incoming/a\\ b"),
    "inotifywait -qq -t 30": (["rm lock"], ""),
    "inotifywait -m -q --timefmt": (["touch src/main.c"], "CREATE src/main.c"),
    "printf '%s\\n' src": (["mkdir src/.git/x src/lib"], 'src/,"CREATE,ISDIR",lib'),
    "inotifywait -m -q --follow-name": (["echo x > app.tmp; mv app.tmp app.conf"], "reload"),
    "inotifywait -m -q -r --settle": (["echo x > incoming/a.tmp; mv incoming/a.tmp incoming/a"], "incoming/a\n"),
    "inotifywait -q --count 2": (["touch incoming/one incoming/two"], "one\ntwo\n"),
}


def examples():
    text = section("EXAMPLES").replace(r"\en", r"\n").replace("\\e\n", "\\\n")
    return re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed", text, re.M | re.S)


def test_every_example_is_tried():
    assert sorted(key for text in examples() for key in EXAMPLES if text.startswith(key)) == sorted(EXAMPLES)
    assert len(examples()) == len(EXAMPLES)


def waiting_child(group):
    """The inotifywait of a process group, once it waits."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getpgid(int(entry)) == group and is_waiting(int(entry), finite=True):
                return int(entry)
        except OSError:
            pass
    return None


@pytest.mark.parametrize("text", examples(), ids=lambda text: text.split("\n")[0])
def test_example(text, inotifywait, room):
    if "jq" in text and shutil.which("jq") is None:
        pytest.skip("needs jq (apt-get install jq)")
    steps, wanted = next(value for key, value in EXAMPLES.items() if text.startswith(key))
    bin_directory = room / "bin"
    furnish(bin_directory, inotifywait)
    for directory in ("src/.git", "incoming"):
        (room / directory).mkdir(parents=True)
    (room / "lock").touch()
    (room / "Makefile").write_text("check:\n\t@echo checked\n")
    environment = dict(os.environ, PATH=f"{bin_directory}:{os.environ['PATH']}")
    said = room / "said"
    with said.open("wb") as out:
        shell = subprocess.Popen(
            ["bash", "-c", text], cwd=room, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )
    try:
        wait_until(lambda: waiting_child(shell.pid), f"{text!r} does not wait: {said.read_text()}")
        for step in steps:
            subprocess.run(["bash", "-c", step], cwd=room, check=True)
        log = room / "log"
        if wanted:
            wait_until(
                lambda: wanted in said.read_text() + (log.read_text() if log.exists() else ""),
                lambda: f"{wanted!r} in {said.read_text()!r}",
            )
        else:
            assert shell.wait(30) == 0
        assert ".git" not in said.read_text()
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        shell.wait()
