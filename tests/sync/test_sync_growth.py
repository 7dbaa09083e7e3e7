# SPDX-License-Identifier: GPL-2.0-or-later
"""A million events, and a hundred thousand directories born and gone, leave nothing behind in inotifysync."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sync_support import BUILD, differences, wait_identical, wait_until, write


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
@pytest.mark.parametrize("arguments, rounds", [(("events", 200_000, 400_000), 7), (("lives", 20_000), 7)])
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
    # It comes and goes with the largest batch so far, which may be one of the later ones, and does not grow.
    assert min(sizes[3:]) - max(sizes[:3]) < 1024 * 1024
    assert max(sizes) < 32 * 1024 * 1024
    wait_until(lambda: descriptors(program) == held, lambda: f"{descriptors(program)} descriptors, not {held}", 60)


@pytest.mark.plain_build
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind (apt-get install valgrind)")
def test_valgrind_finds_nothing_from_start_to_stop(source, folder, daemons, run):
    """No error, no leak, and no descriptor left but those it was given."""
    library = (BUILD / "tests/libpidfd_for_valgrind.so").absolute()
    assert library.exists(), f"{library}: build it first"
    write(source / "a/b/file")
    program = run("--delete", "--status-file", folder / "status", "--password-file", daemons[0].password_file, source,
                  folder / "copy", daemons[0].url, environment={"LD_PRELOAD": str(library)},
                  through=["valgrind", "--error-exitcode=77", "--leak-check=full", "--errors-for-leak-kinds=definite",
                           "--track-fds=yes"])
    targets = folder / "copy", daemons[0].root
    program.wait_said("in step", times=2)
    (source / "a").rename(source / "c")
    write(source / "c/new/file")
    wait_identical(source, *targets)
    daemons[0].stop()
    (source / "c/b/file").unlink()
    program.wait_said("again in")
    program.process.send_signal(signal.SIGHUP)
    daemons[0].start()
    wait_identical(source, *targets)
    assert program.terminate() == 0, program.output()
    said = program.output()
    assert "ERROR SUMMARY: 0 errors" in said, said
    left = re.findall(r"Open (?:AF_\w+ socket|file descriptor) .*\n(?!.*<inherited from parent>)", said)
    assert left == [], said
