# SPDX-License-Identifier: GPL-2.0-or-later
"""The page, --help and the code of inotifywatch say the same, and what the page shows can be typed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from watch_program import OURS, ROOT

PAGE = (ROOT / "man/inotifywatch.1").read_text()
CODE = (ROOT / "tools/inotifywatch/options.cpp").read_text()

needs_program = pytest.mark.skipif(not OURS.exists(), reason=f"{OURS}: build it first, or say in NOTIFY_BUILD where it is")


def section(title):
    return re.search(rf"^\.Sh {title}$(.*?)(?=^\.Sh |\Z)", PAGE, re.MULTILINE | re.DOTALL).group(1)


def help_text():
    return subprocess.run([OURS, "--help"], capture_output=True, text=True).stdout


def options_of_page():
    """{(letter, name, has a value)}"""
    found = set()
    for line in re.findall(r"^\.It (Fl .*)$", section("OPTIONS"), re.MULTILINE):
        letter = re.search(r"Fl (\w)\b", line)
        found.add((letter.group(1) if letter else "", re.search(r"Fl -([\w-]+)", line).group(1), bool(re.search(r"Ar|Cm", line))))
    return found


def options_of_help():
    rows = re.findall(r"^\t(?:-(\w)\|)?--([\w-]+)[ \t]*(\S.*)?$", help_text(), re.MULTILINE)
    return {(letter, name, bool(re.match(r"<|\w+\|", rest))) for letter, name, rest in rows}


def options_of_code():
    rows = re.findall(r"\{\"([\w-]+)\",\s*(?:0|'(\w)'),\s*Argument::(none|required)", CODE)
    return {(letter, name, argument == "required") for name, letter, argument in rows}


@needs_program
def test_options_are_the_same_in_page_help_and_code():
    assert len(options_of_code()) >= 23
    assert options_of_help() == options_of_code()
    assert options_of_page() == options_of_code()


@needs_program
def test_events_are_the_same_in_page_and_help():
    in_page = re.findall(r"^\.It Cm (\w+)$", section("EVENTS"), re.MULTILINE)
    in_help = re.findall(r"^\t(\w+)\t", help_text().partition("Events:\n")[2], re.MULTILINE)
    assert len(in_page) == 15
    assert in_page == in_help


def test_letters_of_the_synopsis_are_options():
    letters = re.search(r"^\.Op Fl (\w{4,})$", PAGE, re.MULTILINE).group(1)
    assert set(letters) == {letter for letter, _, value in options_of_code() if letter and not value}


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
def test_page_is_clean():
    said = subprocess.run(["mandoc", "-Tlint", ROOT / "man/inotifywatch.1"], capture_output=True, text=True).stdout
    # Which other pages are installed is no matter of ours.
    assert [line for line in said.splitlines() if "referenced manual" not in line] == []


def examples():
    blocks = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed$", section("EXAMPLES"), re.MULTILINE | re.DOTALL)
    return [re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in blocks]


@needs_program
@pytest.mark.parametrize("example", examples(), ids=range(len(examples())))
def test_examples_run_as_printed(example, room):
    """But for the time they take."""
    for word in ("jq", "gnuplot"):
        if word in example and shutil.which(word) is None:
            pytest.skip(f"needs {word}")
    (room / "bin").mkdir()
    (room / "bin/inotifywatch").symlink_to(OURS)
    (room / "d").mkdir()
    script = re.sub(r"-t \d+", "-t 1", example).replace("--interval 1", "--interval 0.2").replace("/var/log", ".")
    if " -t " not in script:
        script = script.replace("inotifywatch ", "inotifywatch -t 1 ", 1)
    # Something to count, all the while.
    churn = "while :; do echo x > d/file.txt; done & trap 'kill $!' EXIT\n"
    path = f"{room / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(["/bin/bash", "-eo", "pipefail", "-c", churn + script], cwd=room, env=os.environ | {"PATH": path},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for line in done.stderr.splitlines():
        assert re.match(r"Establishing|Finished|Setting up|OK, ", line), done.stderr
    if "gnuplot" in example:
        assert (room / "counts.tsv").read_text().count("\n") >= 4
        assert "<path" in (room / "counts.svg").read_text()
    elif "jq" in example:
        assert done.stdout.strip() in ("./", "./d/")
    else:
        assert "./d/" in done.stdout or ".txt" in done.stdout
