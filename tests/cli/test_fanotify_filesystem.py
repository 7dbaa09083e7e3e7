# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -S: whole filesystems, and what is below the operands."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from fanotify_support import NAMES, Watching, home, mounted, needs_root, shell, told, top, unmount_all  # noqa: F401


@needs_root
class TestFilesystem:
    """-S."""

    def test_only_what_lies_below_the_operands(self, inotifywait, home):
        shell("mkdir -p in/side out/side two", home)
        with Watching(inotifywait, "-S", "-e", NAMES, "in", "two", cwd=home) as watching:
            shell("touch out/f in/f two/f out/side/f in/side/f; mv out/side in/came; touch in/came/g;"
                  "mv in/came out/went; touch out/went/h; touch in/end", home)
            lines = watching.lines_until(" end")
        assert lines == [
            f"{home}/in/ CREATE f", f"{home}/two/ CREATE f", f"{home}/in/side/ CREATE f",
            f"{home}/in/ MOVED_TO,ISDIR came", f"{home}/in/came/ CREATE g", f"{home}/in/ MOVED_FROM,ISDIR came",
            f"{home}/in/ CREATE end"]

    def test_the_whole_filesystem_where_the_operand_is_its_mount_point(self, inotifywait, top):
        shell("mkdir -p a/b c", top)
        try:
            watching = Watching(inotifywait, "-S", "-e", NAMES, ".", cwd=top)
        except AssertionError as error:
            assert "no file handles" in str(error), error
            return pytest.skip(f"this filesystem cannot be watched so, and that was said: {error}")
        with watching:
            shell("touch a/b/f c/g; touch end", top)
            lines = [line for line in watching.lines_until(f"{top}/ CREATE end") if line.startswith(f"{top}/")]
        assert lines[-3:] == [f"{top}/a/b/ CREATE f", f"{top}/c/ CREATE g", f"{top}/ CREATE end"]

    def test_it_does_not_keep_the_filesystem_busy(self, inotifywait, room):
        try:
            top = mounted("tmpfs", room)
            shell("mkdir d", top)
            with Watching(inotifywait, "-S", "-e", NAMES, top, cwd=room / "mounted") as watching:
                shell("touch d/f", top)
                watching.lines_until(" f")
                os.chdir("/")
                done = subprocess.run(["umount", "-l", top], capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
                assert watching.process.poll() is None
        finally:
            unmount_all(room)

    def test_paths_below_a_renamed_directory_are_right_at_once(self, inotifywait, home):
        shell("mkdir -p d/old/{1..50}/{1..50}", home)
        with Watching(inotifywait, "-S", "-e", "create", "d", cwd=home) as watching:
            shell("mv d/old d/new; for i in {1..50}; do touch d/new/$i/{1..50}/f; done; touch d/end", home)
            lines = watching.lines_until(" end")
        assert lines[:-1] == [f"{home}/d/new/{i}/{j}/ CREATE f" for i in range(1, 51) for j in range(1, 51)]

    def test_directories_that_are_gone_before_their_events_are_read(self, inotifywait, home):
        shell("mkdir d", home)
        with Watching(inotifywait, "-S", "-e", NAMES, "d", cwd=home) as watching:
            watching.process.send_signal(19)
            shell("for i in $(seq 200); do mkdir -p d/$i/a/b; touch d/$i/a/b/f; mv d/$i d/m$i; touch d/m$i/g;"
                  "rm -r d/m$i; done; touch d/end", home)
            watching.process.send_signal(18)
            lines = watching.lines_until(" end")
        assert "(deleted)" not in "".join(lines)
        said = told(lines)
        for i in range(1, 201):
            assert {(f"{home}/d/{i}/a/b/f", "CREATE"), (f"{home}/d/m{i}/g", "CREATE"),
                    (f"{home}/d/m{i}/a/b/f", "DELETE"), (f"{home}/d/m{i}", "DELETE")} <= said

    def test_a_tree_that_was_there_and_is_gone_before_its_events_are_read(self, inotifywait, home):
        shell("mkdir -p d/{1..20}/a/b; touch d/{1..20}/a/b/f", home)
        with Watching(inotifywait, "-S", "-e", NAMES, "d", cwd=home) as watching:
            watching.process.send_signal(19)
            shell("rm -r d/*; touch d/end", home)
            watching.process.send_signal(18)
            lines = watching.lines_until(" end")
        expected = {(f"{home}/d/{i}{below}", "DELETE") for i in range(1, 21) for below in ("", "/a", "/a/b", "/a/b/f")}
        assert told(lines, " end") == expected

    def test_more_is_removed_than_one_read_brings(self, inotifywait, room):
        """Where a directory was that is gone is said by its removal, megabytes behind in the queue."""
        try:
            home = Path(mounted("tmpfs", room)) / "home"
            tree = [home / f"d/{i}/{j}" for i in range(100) for j in range(250)]
            for directory in tree:
                directory.mkdir(parents=True)
                (directory / "f").touch()
            with Watching(inotifywait, "-S", "-e", "delete", "d", cwd=home) as watching:
                watching.process.send_signal(signal.SIGSTOP)
                shell("rm -r d/*; touch d/end; rm d/end", home)
                watching.process.send_signal(signal.SIGCONT)
                lines = watching.lines_until(" end")
                said = watching.err.read_text()
            expected = {f"{path}/ DELETE f" for path in tree} | {f"{path.parent}/ DELETE,ISDIR {path.name}" for path in tree}
            expected |= {f"{home}/d/ DELETE,ISDIR {i}" for i in range(100)} | {f"{home}/d/ DELETE end"}
            assert len(lines) == len(expected) and set(lines) == expected
            assert said == "Setting up filesystem watches.\nWatches established.\n"
        finally:
            unmount_all(room)

    @pytest.mark.plain_build  # a sanitizer keeps what is freed
    def test_directories_that_come_and_go_are_forgotten(self, inotifywait, room):
        try:
            home = Path(mounted("tmpfs", room)) / "home"
            (home / "d").mkdir(parents=True)
            with Watching(inotifywait, "-S", "-e", "create", "--exclude", "/x$", "d", cwd=home) as watching:
                sizes = []
                for turn in range(6):
                    for _ in range(5000):
                        os.mkdir(home / "d/x")
                        os.rmdir(home / "d/x")
                    (home / f"d/end{turn}").touch()
                    watching.lines_until(f" end{turn}")
                    sizes.append(resident(watching.process.pid))
            assert sizes[-1] < sizes[1] + 2000, sizes
        finally:
            unmount_all(room)

    def test_what_happens_in_a_directory_that_was_removed_and_is_still_open(self, inotifywait, home):
        shell("mkdir -p d/a/b", home)
        held = os.open(home / "d/a/b", os.O_RDONLY)
        with Watching(inotifywait, "-S", "-e", "delete,close,create", "d", cwd=home) as watching:
            shell("rm -r d/a; touch d/a; touch d/one", home)
            watching.lines_until(" one")
            os.close(held)
            shell("touch d/end", home)
            lines = watching.lines_until("CREATE end")
            said = watching.err.read_text()
        assert f"{home}/d/a/b/ CLOSE_NOWRITE,CLOSE,ISDIR " in lines
        assert "lost" not in said

    def test_below_and_the_whole_filesystem_of_a_mount_point(self, inotifywait, room):
        """A directory that is mounted elsewhere is a mount point, but not all of its filesystem."""
        try:
            top = Path(mounted("tmpfs", room))
            shell("mkdir -p part/s other bound", top)
            bound = room / "bound"
            bound.mkdir()
            subprocess.run(["mount", "--bind", top / "part", bound], check=True)
            said = {}
            for option in ((), ("--below",)):
                with Watching(inotifywait, "-S", "-e", "create", *option, bound, cwd=top) as watching:
                    shell("touch other/f; touch part/s/g; rm other/f part/s/g; touch part/end; rm part/end", top)
                    said[option] = [line for line in watching.lines_until(" end") if ".fsnotifywait" not in line]
            below = [f"{bound}/s/ CREATE g", f"{bound}/ CREATE end"]
            assert said[("--below",)] == below
            assert said[()] == [f"{top}/other/ CREATE f", *below]
        finally:
            unmount_all(room)

    def test_subvolumes(self, inotifywait, room):
        """Each has a filesystem id of its own, but the kernel gives their events that of the top."""
        try:
            top = mounted("btrfs", room)
            shell("btrfs subvolume create sub; mkdir -p d/s sub/s", top)
            with Watching(inotifywait, "-S", "-e", "create", ".", cwd=top) as watching:
                shell("touch d/s/f sub/s/g sub/h; mkdir sub/n; touch sub/n/i; mv sub/n sub/m; touch sub/m/j end", top)
                lines = watching.lines_until(f"{top}/ CREATE end")
            assert [line for line in lines if ".fsnotifywait" not in line] == [
                f"{top}/d/s/ CREATE f", f"{top}/sub/s/ CREATE g", f"{top}/sub/ CREATE h", f"{top}/sub/ CREATE,ISDIR n",
                f"{top}/sub/n/ CREATE i", f"{top}/sub/m/ CREATE j", f"{top}/ CREATE end"]
            with Watching(inotifywait, "-S", "--below", "-e", "create", "sub", cwd=top) as watching:
                shell("touch d/k sub/end", top)
                assert watching.lines_until(" end") == [f"{top}/sub/ CREATE end"]
        finally:
            unmount_all(room)

    @pytest.mark.parametrize("mode", [["-S"], ["-F", "-r"]])
    def test_several_operands_on_several_filesystems(self, mode, inotifywait, room):
        try:
            places = []
            for name in ("one", "two"):
                (room / name).mkdir()
                places.append(mounted("tmpfs", room / name))
            bound = room / "bound"
            (bound / "d").mkdir(parents=True)
            for place in places:
                shell("mkdir -p d/s", place)
            directories = [*(f"{place}/d" for place in places), f"{bound}/d"]
            with Watching(inotifywait, *mode, "-e", NAMES, *directories, cwd=bound) as watching:
                shell("; ".join(f"mkdir -p {one}/s; touch {one}/s/f; mv {one}/s {one}/t; touch {one}/t/g" for one in directories)
                      + f"; mv {directories[0]}/t/g {directories[1]}/h; touch {bound}/d/end", bound)
                lines = watching.lines_until(" end")
            for one in directories:
                assert {(f"{one}/s/f", "CREATE"), (f"{one}/s", "MOVED_FROM"), (f"{one}/t", "MOVED_TO"),
                        (f"{one}/t/g", "CREATE")} <= told(lines)
            assert {(f"{directories[0]}/t/g", "DELETE"), (f"{directories[1]}/h", "CREATE")} <= told(lines)
            assert len({line for line in lines if "MOVE_SELF" not in line}) == len(
                [line for line in lines if "MOVE_SELF" not in line])
        finally:
            unmount_all(room)

    def test_a_single_file(self, inotifywait, home):
        shell("mkdir d; touch d/f d/g", home)
        with Watching(inotifywait, "-S", "-e", "modify,close_write", "d/f", cwd=home) as watching:
            shell("echo x >d/g; echo y >d/f; ", home)
            lines = watching.lines_until("CLOSE_WRITE")
        assert told(lines) >= {(f"{home}/d/f", "CLOSE_WRITE")}
        assert "/d/ MODIFY g" not in "".join(lines)

    def test_names_that_end_as_the_kernel_marks_what_is_deleted(self, inotifywait, home):
        shell("mkdir -p 'd/x (deleted)/y'", home)
        with Watching(inotifywait, "-S", "-e", "create", "d", cwd=home) as watching:
            shell("touch 'd/x (deleted)/y/f (deleted)'", home)
            lines = watching.lines_until("f (deleted)")
        assert lines == [f"{home}/d/x (deleted)/y/ CREATE f (deleted)"]

    def test_excluded_directories(self, inotifywait, home):
        shell("mkdir -p d/x/deep d/y", home)
        with Watching(inotifywait, "-S", "-e", "create", "@d/x", "d", cwd=home) as watching:
            shell("touch d/x/deep/f d/x/g; touch d/y/h", home)
            lines = watching.lines_until("CREATE h")
        assert lines == [f"{home}/d/y/ CREATE h"]


def resident(pid):
    """KiB of memory in use."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
