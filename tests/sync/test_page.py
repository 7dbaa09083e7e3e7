# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of inotifysync(1), as they are printed, with this machine's places in them."""

import os
import re
import signal
import subprocess
import sys

import pytest
from sync_support import BUILD, ROOT, wait_identical, wait_until

sys.path.insert(0, str(ROOT / "tests/cli"))
from program import is_waiting  # noqa: E402

PAGE = (ROOT / "man/inotifysync.1").read_text()


def examples():
    text = re.search(r"^\.Sh EXAMPLES\n(.*?)^\.Ss Recipes", PAGE, re.M | re.S).group(1)
    found = re.findall(r"^\.Dl ([^\n]*)$|^\.Bd -literal -offset indent\n(.*?)^\.Ed", text, re.M | re.S)
    return [(line or block).replace("\\-", "-").replace("\\e\n", "\\\n") for line, block in found]


def with_ours():
    return {**os.environ, "PATH": f"{BUILD}/tools/inotifysync:{BUILD}/tools/inotifywait:{os.environ['PATH']}"}


def session_of(leader):
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == leader:
                yield int(entry)
        except OSError:
            pass


def shell(command, folder):
    return subprocess.run(["bash", "-c", command], cwd=folder, env=with_ours(), capture_output=True, text=True, timeout=120)


def test_there_are_examples():
    assert len(examples()) == 6


@pytest.mark.parametrize("command", examples(), ids=lambda command: command.split("\n")[0])
def test_each_leads_to_command_lines_of_rsync(command, folder, source):
    """Of all that lie on other machines; what is run there, the other tests see to."""
    secret = folder / "secret"
    secret.write_text("secret\n")
    secret.chmod(0o600)
    command = re.sub(r"(?s)^inotifywait.*\|\s*", "", command)  # its other half is tried below
    command = command.replace("inotifysync ", "inotifysync --dry-run ", 1)
    command = command.replace("/srv/www ", f"{source} ").replace("/etc/inotifysync/secret", str(secret))
    done = shell(command.replace(" || exit", ""), folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("rsync ") and str(source) in done.stdout


def test_inotifywait_does_the_watching(folder, source):
    (command,) = [command for command in examples() if command.startswith("inotifywait")]
    command = command.replace("/srv/www", str(source)).replace("web1::www", "copy")
    pipeline = subprocess.Popen(["bash", "-c", command], cwd=folder, env=with_ours(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: any(is_waiting(pid, finite=True) for pid in session_of(pipeline.pid)), "inotifywait watches")
        (source / "first").write_text("text")
        (source / "second").mkdir()
        (source / "second/last").touch()
        wait_identical(source, folder / "copy")
    finally:
        os.killpg(pipeline.pid, signal.SIGKILL)
        pipeline.wait()


def test_a_copy_on_another_disk(folder, source):
    (source / "file").write_text("text")
    (folder / "copy").mkdir()
    (folder / "copy/old").touch()
    command = examples()[0].replace("inotifysync", "inotifysync --once").replace("/mnt/backup/www", "copy")
    done = shell(command.replace("/srv/www", str(source)), folder)
    assert done.returncode == 0, done.stderr
    wait_identical(source, folder / "copy")
