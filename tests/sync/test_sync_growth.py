# SPDX-License-Identifier: GPL-2.0-or-later
"""A million events, and a hundred thousand directories born and gone, leave nothing behind in inotifysync."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from sync_support import BUILD, differences, wait_until


def memory(program):
    for line in Path(f"/proc/{program.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def descriptors(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def load(*arguments):
    subprocess.run([str(a) for a in (BUILD / "tests/bench/load", *arguments)], check=True, stdout=subprocess.DEVNULL,
                   timeout=300)


@pytest.mark.slow
@pytest.mark.plain_build
@pytest.mark.parametrize("arguments, rounds", [(("events", 200_000, 400_000), 5), (("lives", 20_000), 5)])
def test_events_and_lives_leave_nothing_behind(source, folder, run, arguments, rounds):
    program = run("--delete", "--status-file", folder / "status", source, folder / "copy")
    program.wait_said("in step")
    serial = iter(range(1000))

    def settle():
        """All is delivered, and the waiting connection is there again."""
        (source / "last").write_text(str(next(serial)))
        wait_until(lambda: not differences(source, folder / "copy"), program.output, 120)
        used = [0.0, 0.0]

        def quiet():
            now = time.clock_gettime((~program.process.pid << 3) | 2)
            if now != used[0]:
                used[:] = now, time.monotonic()
            return program.children() and time.monotonic() - used[1] > 0.2
        wait_until(quiet, "rest", 120)

    def one_round():
        load(arguments[0], source, *arguments[1:])
        settle()

    settle()
    held = descriptors(program)
    one_round()
    sizes = [memory(program)]
    for _ in range(rounds - 1):
        one_round()
        sizes.append(memory(program))
    print(f"{arguments[0]}: {', '.join(f'{size // 1024} kB' for size in sizes)}")
    # It comes and goes with the largest batch so far, and does not grow.
    assert min(sizes[2:]) - max(sizes[:2]) < 1024 * 1024
    assert max(sizes) < 32 * 1024 * 1024
    wait_until(lambda: descriptors(program) == held, lambda: f"{descriptors(program)} descriptors, not {held}", 60)
