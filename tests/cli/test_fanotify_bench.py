# SPDX-License-Identifier: GPL-2.0-or-later
"""That what measures fanotify measures; the figures of so short a run mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fanotify_support import needs_root

ROOT = Path(__file__).resolve().parents[2]


@needs_root
@pytest.mark.plain_build
def test_it_measures_every_kind_of_work(tmp_path):
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
    figures = tmp_path / "figures.json"
    command = [sys.executable, ROOT / "tests/bench/fanotify_bench.py", "--rounds", "1", "--scale", "0.001", "--json", figures]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ, NOTIFY_BUILD=build))
    if "mount" in done.stderr:
        pytest.skip(f"no filesystem of its own can be had here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    rows = {(row["work"].split(",")[0].split(" above")[0], row["figure"]): row["values"] for row in json.loads(figures.read_text())["rows"]}
    assert set(rows["files made and removed", "lines an event"].values()) == {1}
    assert rows["files made and removed", "CPU us an event"]["queue -S"] > 0
    assert set(rows["rename", "right %"].values()) == {100}
    assert all(value > 0 for value in rows["watch 150 directories", "ready after ms"].values())
