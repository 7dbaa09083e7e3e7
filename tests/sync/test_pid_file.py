# SPDX-License-Identifier: GPL-2.0-or-later
"""The pid file: one program has it."""

from sync_support import said_by


def test_a_pid_file_is_of_one_program(folder, source, run):
    pid_file = folder / "pid"
    pid_file.write_text("1\n")  # left behind by one that was killed
    first = run("--pid-file", pid_file, source, folder / "copy")
    first.wait_said("in step")
    pid = str(first.process.pid)
    assert pid_file.read_text() == pid + "\n"
    for more in ([], ["--daemon"]):
        status, said = said_by("--pid-file", pid_file, *more, source, folder / "other")
        assert (status, said) == (1, f"inotifysync: {pid_file}: inotifysync runs already (pid {pid})\n")
    assert pid_file.read_text() == pid + "\n" and not (folder / "other").exists()
    pid_file.unlink()
    pid_file.write_text("another's\n")
    assert first.terminate() == 0
    assert pid_file.read_text() == "another's\n"
