# SPDX-License-Identifier: GPL-2.0-or-later
"""That the measuring programs measure; the figures of so short a run mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.plain_build
def test_bench_measures_every_kind_of_work(tmp_path):
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
    figures = tmp_path / "figures.json"
    command = [sys.executable, ROOT / "tests/bench/bench.py", "--rounds", "1", "--scale", "0.001", "--without", "fswatch",
               "--json", figures]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ, NOTIFY_BUILD=build))
    assert done.returncode == 0, done.stderr
    rows = json.loads(figures.read_text())["rows"]
    floor = {(row["work"].split()[0], row["figure"]): row["values"].get("floor") for row in rows}
    assert floor["watch", "CPU s"] > 0
    assert floor["1,000", "delivered %"] == 100
    assert floor["one", "median us"] > 0
    assert floor["rename", "right %"] == 100
    assert floor["mkdir", "reported %"] == 100
    assert floor["statistics", "counted %"] == 100
