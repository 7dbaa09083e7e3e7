# SPDX-License-Identifier: GPL-2.0-or-later
"""The other forms of inotifywatch's report: JSON and CSV, and rows that are no watches."""

import base64
import csv
import io
import json
import shutil
import subprocess
import time

import pytest

from test_inotifywatch import STEPS, pytestmark, run  # noqa: F401
from watch_program import counts_of


# JSON and CSV.

def test_json(room):
    outcome = run(["--json", "-r", "a", "c"], room)
    assert outcome.out.count(b"\n") == 1
    said = json.loads(outcome.out)
    assert list(said) == ["time", "seconds", "overflows", "totals", "rows"]
    assert abs(said["time"] - time.time()) < 60
    assert said["overflows"] == 0
    assert [(row["path"], row["total"], row["open"], row["unmount"] if "unmount" in row else 0) for row in said["rows"]] == [
        ("a/", 6, 2, 0), ("a/b/", 2, 1, 0), ("c/", 1, 0, 0)]
    assert said["totals"]["total"] == 9
    assert said["totals"]["create"] == 1
    assert said["totals"]["per_second"] == pytest.approx(9 / said["seconds"], rel=0.01)


def test_json_of_nothing(room):
    outcome = run(["--json", "-e", "create,open", "a"], room, steps=())
    said = json.loads(outcome.out)
    assert said["rows"] == []
    assert {name: said["totals"][name] for name in ("total", "create", "open")} == {"total": 0, "create": 0, "open": 0}
    assert b"No events occurred" not in outcome.err
    assert outcome.status == 0


def test_json_at_a_signal(room):
    outcome = run(["--json", "-e", "create", "a"], room, steps=("touch a/1", "^USR1", "touch a/2", "^USR1"))
    assert [json.loads(line)["totals"]["total"] for line in outcome.out.splitlines()] == [1, 2, 2]


def test_json_of_names_that_are_not_utf8(room):
    outcome = run(["--json", "-r", "-e", "create", "."], room, tree="mkdir \"$(printf '\\377')\"",
                  steps=("touch \"$(printf '\\377')\"/f",))
    row = json.loads(outcome.out)["rows"][0]
    assert row["path"] == "./\ufffd/"
    assert base64.b64decode(row["path_base64"]) == b"./\xff/"


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_json_is_for_jq(room):
    outcome = run(["--json", "-r", "a", "c"], room)
    shown = subprocess.run(["jq", "-r", ".rows[0].path"], input=outcome.out, capture_output=True, check=True).stdout
    assert shown == b"a/\n"


def test_csv(room):
    outcome = run(["--csv", "-r", "-e", "open,create,attrib", "a", "c"], room, steps=(*STEPS, "mkdir 'c/a, \"b\"'", "touch 'c/a, \"b\"/n'"))
    rows = list(csv.DictReader(io.StringIO(outcome.out.decode())))
    assert list(rows[0]) == ["path", "total", "attrib", "open", "create"]
    assert any(row["path"] == 'c/a, "b"/' for row in rows)
    assert next(row for row in rows if row["path"] == "a/")["create"] == "1"


# Other rows.

def test_top(room):
    outcome = run(["-r", "--top", "1", "--json", "a", "c"], room)
    said = json.loads(outcome.out)
    assert [row["path"] for row in said["rows"]] == ["a/"]
    assert said["totals"]["total"] == 9


def test_by_directory(room):
    steps = ("chmod 600 c/h.txt", "chmod 600 c/i.txt", "mkdir a/n", "rmdir a/n", "mkdir a/n", "touch a/n/f")
    outcome = run(["-r", "--by", "directory", "-e", "attrib,create", "c/h.txt", "c/i.txt", "a"], room, steps=steps)
    rows = counts_of(outcome.out)
    assert outcome.out.splitlines()[0].split()[-1] == b"directory"
    assert rows["c/"]["attrib"] == 2
    assert rows["a/n/"]["create"] == 1
    assert list(rows).count("a/n/") == 1


def test_by_extension(room):
    outcome = run(["-r", "--by", "extension", "-e", "create,attrib,open", "-a", "open", "a", "c"], room)
    rows = counts_of(outcome.out)
    assert set(rows) == {".txt", "(none)"}
    assert rows[".txt"] == {"total": 4, "attrib": 2, "open": 1, "create": 1}
    assert rows["(none)"]["open"] == 2


def test_by_event(room):
    outcome = run(["-r", "--by", "event", "a", "c"], room)
    assert outcome.out.splitlines()[0].split() == [b"total", b"event"]
    rows = counts_of(outcome.out)
    assert {name: row["total"] for name, row in rows.items()} == {"open": 3, "close_nowrite": 2, "attrib": 2, "create": 1, "close_write": 1}
    assert "modify" in counts_of(run(["-z", "--by", "event", "a"], room / "zero").out)


def test_rates(room):
    outcome = run(["--rates", "a"], room)
    titles, row = (line.split() for line in outcome.out.splitlines())
    assert titles[:2] == [b"total", b"per_second"]
    assert float(row[1]) > 0
