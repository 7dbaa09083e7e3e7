# SPDX-License-Identifier: GPL-2.0-or-later
"""--json, read back: every name that a filesystem takes comes home byte for byte, by way of Python and of jq."""

import base64
import json
import os
import random
import shutil
import subprocess

import pytest

from program import Program, wait_until

NAMES = [
    b"plain", b"a b", b" lead", b"trail ", b'"', b"\\", b"\\u0041", b"a\nb", b"\t\r\x01\x1f\x7f", b"{}[],:",
    "é€😀".encode(), "\u2028\ufeff".encode(), b"\xff", b"a\xc3", b"\xc3\xa9\xe9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xc0\xaf", b"x" * 255, b"\xfe" * 255,
]


def random_names(count):
    chance = random.Random(20_261)
    names = set()
    while len(names) < count:
        name = bytes(chance.choice(range(1, 256)) for _ in range(chance.randint(1, 40))).replace(b"/", b"-")
        names.add(name if name not in (b".", b"..") else b"dot")
    return sorted(names - set(NAMES))


def bytes_of(event, key):
    coded = event.get(f"{key}_base64")
    plain = event[key]
    if coded is None:
        return plain.encode()
    assert "\ufffd" in plain
    return base64.b64decode(coded, validate=True)


@pytest.fixture
def made(inotifywait, room):
    """(the names that were made, the lines that told of them)"""
    names = NAMES + random_names(300)
    directory = os.fsencode(room) + b"/d\xff"
    os.mkdir(directory)
    program = Program(inotifywait, b"exec inotifywait -m -q --json -e create $'d\\xff'", room, room / "bin")
    try:
        program.settle()
        for name in names:
            os.close(os.open(directory + b"/" + name, os.O_CREAT | os.O_WRONLY))
        out = program.settle().out
    finally:
        program.close()
    return names, out


def test_names_come_back_by_python(made):
    names, out = made
    events = [json.loads(line) for line in out.decode().splitlines() if line]
    assert [bytes_of(event, "name") for event in events] == names
    assert {bytes_of(event, "watched") for event in events} == {b"d\xff/"}
    assert all(event["events"] == ["CREATE"] and event["cookie"] == 0 for event in events)


def test_names_come_back_by_jq(made):
    if shutil.which("jq") is None:
        pytest.skip("needs jq (apt-get install jq)")
    names, out = made
    told = subprocess.run(["jq", "-r", ".name_base64 // (.name | @base64)"], input=out, capture_output=True, check=True)
    assert [base64.b64decode(line) for line in told.stdout.split()] == names


def test_old_names_come_back_too(inotifywait, room):
    directory = os.fsencode(room) + b"/d"
    os.mkdir(directory)
    for number in range(len(NAMES)):
        open(directory + b"/%d" % number, "w").close()
    program = Program(inotifywait, b"exec inotifywait -m -q --json --pair-moves -e move d", room, room / "bin")
    try:
        program.settle()
        for number, name in enumerate(NAMES):
            os.rename(directory + b"/%d" % number, directory + b"/" + name)
            os.rename(directory + b"/" + name, directory + b"/%d+" % number)
        out = program.settle().out
    finally:
        program.close()
    events = [json.loads(line) for line in out.decode().splitlines()]
    to_odd, from_odd = events[::2], events[1::2]
    assert [bytes_of(event, "name") for event in to_odd] == NAMES
    assert [bytes_of(event, "old") for event in from_odd] == [b"d/" + name for name in NAMES]
    assert all(event["events"] == ["MOVED_FROM", "MOVED_TO"] and event["cookie"] != 0 for event in events)


def test_time_is_that_of_reading(inotifywait, room):
    (room / "d").mkdir()
    program = Program(inotifywait, b"exec inotifywait -q --json -e create d", room, room / "bin")
    try:
        program.settle()
        (room / "d/f").touch()
        event = json.loads(program.wait_end().out)
    finally:
        program.close()
    date = subprocess.run(["date", "-d", event["time"], "+%s.%N"], capture_output=True, text=True, check=True)
    assert abs(float(date.stdout) - os.stat(room / "d/f").st_mtime) < 30
    assert event["time"].endswith("Z") and len(event["time"]) == len("2026-11-22T16:29:17.123456789Z")


def test_recovered_entries_say_so(inotifywait, room):
    (room / "d").mkdir()
    program = Program(inotifywait, b"exec inotifywait -m -q -r --json -e create d", room, room / "bin")
    try:
        program.settle()
        program.signal(19)  # SIGSTOP: what is made now is there before it can be watched
        wait_until(lambda: "\nState:\tT" in open(f"/proc/{program.pid}/status").read(), "stopped")
        (room / "d/a/b").mkdir(parents=True)
        program.signal(18)
        events = [json.loads(line) for line in program.settle().out.splitlines()]
    finally:
        program.close()
    told = [(event["watched"], event["name"], event["events"], event.get("recovered", False)) for event in events]
    assert told == [("d/", "a", ["CREATE", "ISDIR"], False), ("d/a/", "b", ["CREATE", "ISDIR"], True)]
