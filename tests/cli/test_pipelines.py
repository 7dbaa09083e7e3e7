# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts as people write them: a loop around inotifywait, or behind it."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from program import Program, furnish, is_waiting, wait_until


class Script:
    """A shell script in a directory of its own, in a process group of its own."""

    def __init__(self, binary, room, text):
        furnish(room / "bin", binary)
        self.home = room / "home"
        environment = os.environ | {"PATH": f"{room}/bin:{os.environ['PATH']}"}
        self.process = subprocess.Popen(["/bin/sh", "-c", text], cwd=self.home, env=environment,
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def inotifywait(self):
        """The process id of the script's inotifywait, as soon as it waits for events; 0 if it does not."""
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getsid(int(entry.name)) == self.process.pid:
                    if is_waiting(int(entry.name), finite=True):
                        return int(entry.name)
            except OSError:
                pass
        return 0

    def ready(self):
        return wait_until(self.inotifywait, "inotifywait waits")

    def log(self, text):
        def there():
            path = self.home / "log"
            return path.exists() and path.read_text() == text
        wait_until(there, lambda: f"log: {(self.home / 'log').read_text() if (self.home / 'log').exists() else None!r}")

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def script(inotifywait, room):
    (room / "home/d").mkdir(parents=True)
    (room / "home/f").touch()
    running = []

    def start(text):
        running.append(Script(inotifywait, room, text))
        return running[-1]
    yield start
    for each in running:
        each.close()


def test_while_read(script):
    running = script("inotifywait -m -q -e close_write d | while read -r dir event file; do echo \"$dir|$event|$file\" >> log; done")
    running.ready()
    (running.home / "d/a").write_text("text")
    running.log("d/|CLOSE_WRITE,CLOSE|a\n")
    (running.home / "d/b c").write_text("text")
    running.log("d/|CLOSE_WRITE,CLOSE|a\nd/|CLOSE_WRITE,CLOSE|b c\n")


def test_while_read_recursive(script):
    running = script("inotifywait -mrq --timefmt '%Y' --format '%w%f %e' -e modify,delete,create,attrib d | "
                     "while read -r file event; do echo \"$event $file\" >> log; done")
    running.ready()
    (running.home / "d/s").mkdir()
    running.log("CREATE,ISDIR d/s\n")
    running.ready()
    (running.home / "d/s/f").touch()
    running.log("CREATE,ISDIR d/s\nCREATE d/s/f\n")
    (running.home / "d/s/f").unlink()
    running.log("CREATE,ISDIR d/s\nCREATE d/s/f\nDELETE d/s/f\n")


def test_while_inotifywait(script):
    running = script("while inotifywait -qq -e modify f; do echo changed >> log; done; echo \"end $?\" >> log")
    for times in range(1, 4):
        running.ready()
        with open(running.home / "f", "a") as file:
            file.write("more")
        running.log("changed\n" * times)
    running.ready()
    (running.home / "f").unlink()
    running.log("changed\n" * 3 + "end 0\n")


def test_until_a_file_appears(script):
    running = script("until [ -e d/ready ]; do inotifywait -q -t 5 -e create d > /dev/null; done; echo there > log")
    running.ready()
    (running.home / "d/other").touch()
    running.ready()
    (running.home / "d/ready").touch()
    running.log("there\n")


def test_command_substitution(script):
    running = script("name=$(inotifywait -q -e close_write --format %f d); echo \"[$name] $?\" > log")
    running.ready()
    (running.home / "d/a").write_text("text")
    running.log("[a] 0\n")


def test_nul_separated_names(script):
    running = script("inotifywait -mrq -e create --format '%w%f%0' --no-newline d | xargs -0 -n 1 printf '<%s>\\n' >> log")
    running.ready()
    (running.home / "d/new\nline").touch()
    (running.home / "d/ b ").touch()
    running.log("<d/new\nline>\n<d/ b >\n")


def test_timeout_in_a_condition(script):
    running = script("inotifywait -q -t 1 d; echo $? > log")
    running.log("2\n")


def test_deleted_file_in_a_condition(script):
    running = script("inotifywait -qq -e modify f; echo $? > log")
    running.ready()
    (running.home / "f").unlink()
    running.log("1\n")


def test_head_ends_the_pipeline(script):
    running = script("inotifywait -m -q -e create d | head -n 1 > log; echo end >> log")
    running.ready()
    (running.home / "d/a").touch()
    wait_until(lambda: (running.home / "log").read_text(), "the first line")
    (running.home / "d/b").touch()
    running.log("d/ CREATE a\nend\n")


def test_coprocess_style_reading(script):
    running = script("mkfifo p; inotifywait -m -q -e create d > p & exec 3< p; "
                     "read -r line <&3; echo \"1 $line\" >> log; read -r line <&3; echo \"2 $line\" >> log; kill $!")
    running.ready()
    (running.home / "d/a").touch()
    running.log("1 d/ CREATE a\n")
    (running.home / "d/b").touch()
    running.log("1 d/ CREATE a\n2 d/ CREATE b\n")


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_no_descriptor_of_ours_lands_on_a_standard_stream(inotifywait, room, streams):
    (room / "home/d").mkdir(parents=True)
    program = Program(inotifywait, f"exec inotifywait -m -r d {streams}".encode(), room / "home", room / "bin")
    try:
        program.settle()
        for number in range(3):
            link = Path(f"/proc/{program.pid}/fd/{number}")
            assert not link.is_symlink() or "inotify" not in os.readlink(link)
        (room / "home/d/f").touch()
        assert b"inotify" not in program.settle().out
    finally:
        program.close()


def test_help_goes_to_stdout_and_is_an_error(inotifywait):
    for arguments in (["--help"], ["-h"], ["-hZ"], ["-m", "--he", "nope"], ["-qq", "-h"]):
        done = subprocess.run([inotifywait, *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, ""), arguments
        assert done.stdout.startswith("inotifywait ")
        assert "Usage: inotifywait [ options ] file1 [ file2 ] [ file3 ] [ ... ]\n" in done.stdout
