# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that cannot be written: what is said, and what is kept."""

import fcntl
import resource
import signal
import subprocess

from program import is_waiting, wait_until


def start(inotifywait, room, *options, **settings):
    (room / "t").mkdir()
    process = subprocess.Popen([inotifywait, *options, "-q", "t"], cwd=room, stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, **settings)
    wait_until(lambda: is_waiting(process.pid), "the watch")
    return process


def test_a_full_disk_is_said_and_what_is_printed_is_kept_for_later(inotifywait, room):
    # A limit on the size of files stands for the disk: it can be lifted by anybody.
    process = start(inotifywait, room, "-m", "-e", "create", "-o", "out",
                    preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    try:
        hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20, hard))
        for number in range(9):
            (room / f"t/{number}").touch()
        wait_until(lambda: is_waiting(process.pid), "all is read")
        assert (room / "out").stat().st_size == 20
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        (room / "t/9").touch()
        wanted = "".join(f"t/ CREATE {number}\n" for number in range(10))
        wait_until(lambda: (room / "out").read_text() == wanted, lambda: (room / "out").read_text())
    finally:
        process.kill()
        _, said = process.communicate()
    assert said == ("inotifywait: couldn't write to out: File too large; what is to be printed is kept, and tried again "
                    "at the next event\n")


def test_what_is_lost_at_the_end_is_a_failure(inotifywait, room):
    process = start(inotifywait, room, "-o", "/dev/full")
    try:
        (room / "t/file").touch()
        assert process.wait(30) == 1
    finally:
        process.kill()
        _, said = process.communicate()
    assert said == "inotifywait: couldn't write to /dev/full: No space left on device; the last events are lost\n"


def test_a_pipe_grows_only_once_it_is_full(inotifywait, room):
    """All the pipes of a user have a budget; past it, each new one is small."""
    process = start(inotifywait, room, "-m", "-e", "create", stdout=subprocess.PIPE)
    try:
        def size():
            return fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)

        as_made = size()
        (room / "t/first").touch()
        assert process.stdout.readline() == "t/ CREATE first\n"
        assert size() == as_made < 1 << 20
        for number in range(as_made // 200 + 1):
            (room / f"t/{number:0200}").touch()
        wait_until(lambda: size() == 1 << 20, lambda: f"{size()} bytes of room")
    finally:
        process.kill()
        process.communicate()
