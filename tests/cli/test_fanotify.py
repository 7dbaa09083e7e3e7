# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -F and -S: where events are said to happen, on the filesystems people have."""

import functools
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from fanotify_support import Watching, mounted, needs_root, shell, told, unmount_all
from program import wait_until

NAMES = "create,delete,move"


@functools.cache
def refuses(program):
    """Why a mark each directory cannot be had here; None if it can."""
    done = subprocess.run([program, "-F", "-t", "1", "-q", "-e", "create", "/"], capture_output=True, text=True)
    return None if done.returncode == 2 else done.stderr.strip()


@pytest.fixture
def home(inotifywait, room):
    why_not = refuses(inotifywait)
    if why_not:
        pytest.skip(why_not)
    directory = room / "home"
    directory.mkdir()
    return directory


@pytest.fixture(params=["tmpfs", "ext4", "overlay", "overlay without nfs_export", "bind"])
def top(request, room):
    """The top of a mounted filesystem of each kind."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    try:
        yield mounted(request.param, room)
    finally:
        unmount_all(room)


MODES = [pytest.param(["-F", "-r"], id="-F -r"), pytest.param(["-S"], id="-S", marks=needs_root)]


@pytest.mark.parametrize("mode", MODES)
def test_a_day_in_a_tree(mode, inotifywait, home):
    shell("mkdir -p d/s", home)
    with Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=home) as watching:
        shell("touch d/f; mkdir d/n; touch d/s/g; mv d/s d/t; touch d/t/h; mv d/t d/n/u; touch d/n/u/i; rm d/f;"
              "mv d/n/u out; touch out/silent; touch out/again; touch d/end", home)
        lines = watching.lines_until("CREATE end")
    assert lines == [
        f"{home}/d/ CREATE f", f"{home}/d/ CREATE,ISDIR n", f"{home}/d/s/ CREATE g",
        f"{home}/d/ MOVED_FROM,ISDIR s", f"{home}/d/ MOVED_TO,ISDIR t", f"{home}/d/t/ CREATE h",
        f"{home}/d/ MOVED_FROM,ISDIR t", f"{home}/d/n/ MOVED_TO,ISDIR u", f"{home}/d/n/u/ CREATE i",
        f"{home}/d/ DELETE f", f"{home}/d/n/ MOVED_FROM,ISDIR u", f"{home}/d/ CREATE end"]


@pytest.mark.parametrize("mode", MODES)
def test_every_filesystem(mode, inotifywait, top):
    shell("mkdir -p d/s", top)
    try:
        watching = Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=top)
    except AssertionError as error:
        assert "no file handles" in str(error), error
        return pytest.skip(f"this filesystem cannot be watched so, and that was said: {error}")
    with watching:
        shell("touch d/s/f; mv d/s d/t; mkdir d/t/n; touch d/t/n/g", top)
        made = [line for line in watching.lines_until("CREATE g") if "MOVE_SELF" not in line]
        shell("rm -r d/t; touch d/end", top)
        removed = watching.lines_until("CREATE end")[-5:]
    assert made == [f"{top}/d/s/ CREATE f", f"{top}/d/ MOVED_FROM,ISDIR s", f"{top}/d/ MOVED_TO,ISDIR t",
                    f"{top}/d/t/ CREATE,ISDIR n", f"{top}/d/t/n/ CREATE g"]
    # Which comes first in a directory is the filesystem's choice.
    assert sorted(removed[:3]) == [f"{top}/d/t/ DELETE f", f"{top}/d/t/ DELETE,ISDIR n", f"{top}/d/t/n/ DELETE g"]
    assert removed[3:] == [f"{top}/d/ DELETE,ISDIR t", f"{top}/d/ CREATE end"]


def test_every_event_of_a_file_in_a_watched_directory(inotifywait, home):
    shell("mkdir d; echo x >d/f", home)
    with Watching(inotifywait, "d", cwd=home) as watching:
        shell("cat d/f; echo y >>d/f; chmod 600 d/f; mv d/f d/g; rm d/g; touch d/end", home)
        lines = watching.lines_until("end")
    f, g = f"{home}/d/f", f"{home}/d/g"
    assert told(lines, "end") >= {
        (f, "OPEN"), (f, "ACCESS"), (f, "CLOSE_NOWRITE"), (f, "MODIFY"), (f, "CLOSE_WRITE"), (f, "ATTRIB"),
        (f, "MOVED_FROM"), (g, "MOVED_TO"), (g, "DELETE")}
    assert "(deleted)" not in "".join(lines) and "fid" not in "".join(lines)


def test_a_file_is_named_by_its_directory_and_its_end_as_given(inotifywait, home):
    shell("mkdir d; echo x >d/f", home)
    with Watching(inotifywait, "-e", "open,delete_self", "d/f", cwd=home) as watching:
        shell("cat d/f", home)
        watching.lines_until("OPEN")
        shell("rm d/f", home)
        lines = watching.lines_until("DELETE_SELF")
    assert lines == [f"{home}/d/ OPEN f", "d/f DELETE_SELF "]


@needs_root
def test_a_watched_directory_that_is_renamed_has_its_new_name(inotifywait, home):
    shell("mkdir d", home)
    with Watching(inotifywait, "-e", "create,move_self", "d", cwd=home) as watching:
        shell("mv d e; touch e/f", home)
        lines = watching.lines_until("CREATE")
    assert lines[-1] == f"{home}/e/ CREATE f"


def test_new_directories_are_followed_and_nothing_in_them_is_lost(inotifywait, home):
    shell("mkdir d", home)
    with Watching(inotifywait, "-r", "-e", "create", "d", cwd=home) as watching:
        shell("for i in $(seq 100); do mkdir -p d/$i/a/b/c; touch d/$i/a/b/c/f; done; touch d/end", home)
        lines = watching.lines_until(" end")
        wait_until(lambda: len(watching.lines_until(" end")) >= 501, "all of it is said")
        lines = watching.lines_until(" end")
    paths = [path for path, _ in sorted(told(lines, " end"))]
    assert len(lines) == 501
    assert paths == sorted(f"{home}/d/{i}{below}" for i in range(1, 101)
                           for below in ("", "/a", "/a/b", "/a/b/c", "/a/b/c/f"))


@needs_root
def test_what_happens_in_a_directory_that_has_just_left_is_nobodys(inotifywait, home):
    """Its mark is still there for a moment."""
    shell("mkdir -p d/{1..500} o", home)
    with Watching(inotifywait, "-r", "-e", NAMES, "d", cwd=home) as watching:
        for i in range(1, 501):
            (home / f"d/{i}").rename(home / f"o/{i}")
            for name in "abcdefgh":
                (home / f"o/{i}/{name}").touch()
        (home / "d/end").touch()
        lines = watching.lines_until(" end")
    assert [line for line in lines if "/o/" in line] == []


# While a program is stopped, the kernel adds what is done to what it has queued.

def said_after(deeds, count, inotifywait, home, mode):
    """The first `count` lines said of what is done in `d` meanwhile."""
    with Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=home) as watching:
        watching.process.send_signal(signal.SIGSTOP)
        os.chdir(home / "d")
        try:
            deeds()
        finally:
            os.chdir("/")
            watching.process.send_signal(signal.SIGCONT)
        lines = wait_until(lambda: watching.lines()[count - 1:] and watching.lines(), lambda: f"{count} lines in {watching.lines()}")
    return [line.removeprefix(f"{home}/d/").replace(",ISDIR", "") for line in lines]


def rename(*pairs):
    for old, new in pairs:
        os.rename(old, new)


BOTH_KINDS = pytest.mark.parametrize("make", [os.mkdir, lambda path: Path(path).touch()], ids=["directory", "file"])


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_away_again(mode, make, inotifywait, home):
    """Of three renames the kernel tells two, as the third is the first once more; where it stands tells the third."""
    shell("mkdir d", home)
    make(home / "d/a")
    said = said_after(lambda: rename("ab", "ba", "ab"), 6, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b"]


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_on(mode, make, inotifywait, home):
    shell("mkdir d", home)
    make(home / "d/a")
    said = said_after(lambda: rename("ab", "ba", "ab", "bc"), 8, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b",
                    " MOVED_FROM b", " MOVED_TO c"]


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_removed(mode, make, inotifywait, home):
    shell("mkdir d", home)
    make(home / "d/a")
    remove = os.rmdir if make is os.mkdir else os.unlink
    said = said_after(lambda: (rename("ab", "ba", "ab"), remove("b")), 7, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b", " DELETE b"]


@needs_root
@pytest.mark.parametrize("mode", MODES)
def test_a_file_made_renamed_to_and_fro_and_removed(mode, inotifywait, home):
    """The removal joins the record of the creation."""
    shell("mkdir d", home)
    said = said_after(lambda: (Path("a").touch(), rename("ab", "ba"), os.unlink("a")), 6, inotifywait, home, mode)
    assert said == [" CREATE a", " MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " DELETE a"]


@needs_root
def test_a_directory_ends_after_what_happened_in_it(inotifywait, home):
    shell("mkdir d", home)

    def deeds():
        os.makedirs("x/y")
        Path("x/y/f").touch()
        os.unlink("x/y/f")
        os.removedirs("x/y")
        Path("g").touch()

    said = said_after(deeds, 7, inotifywait, home, ["-S"])
    assert said == [" CREATE x", "x/ CREATE y", "x/y/ CREATE f", "x/y/ DELETE f", "x/ DELETE y", " DELETE x", " CREATE g"]


@pytest.mark.parametrize("option, hidden", [("@d/x", "x"), ("--exclude=/x(/|$)", "x")])
def test_what_is_excluded(option, hidden, inotifywait, home):
    shell("mkdir -p d/x d/y", home)
    with Watching(inotifywait, "-r", "-e", "create", option, "d", cwd=home) as watching:
        shell("touch d/x/f d/y/g d/end", home)
        lines = watching.lines_until(" end")
    assert lines == [f"{home}/d/y/ CREATE g", f"{home}/d/ CREATE end"]


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
            return pytest.skip(f"{error}")
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

    def test_directories_that_come_and_go_are_forgotten(self, inotifywait, room):
        try:
            home = Path(mounted("tmpfs", room)) / "home"
            (home / "d").mkdir(parents=True)
            with Watching(inotifywait, "-S", "-e", "create", "--exclude", "x", "d", cwd=home) as watching:
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


class TestWho:
    """%p, %P, --ignore-pid, --ignore-program."""

    def test_the_process_and_its_program(self, inotifywait, home):
        shell("mkdir d", home)
        with Watching(inotifywait, "-e", "create", "--format", "%p %P %f", "d", cwd=home) as watching:
            process = subprocess.Popen(["/bin/bash", "-c", "echo >d/f; read -r"], cwd=home, stdin=subprocess.PIPE)
            lines = watching.lines_until(" f")
            process.communicate(b"\n")
        who = process.pid if os.geteuid() == 0 else ""
        assert lines == [f"{who} {'bash' if who else ''} f"]

    @needs_root
    def test_a_program_that_is_ignored(self, inotifywait, home):
        shell("mkdir d", home)
        with Watching(inotifywait, "-e", "create", "--ignore-program", "mkdir", "d", cwd=home) as watching:
            process = subprocess.Popen(["/bin/bash", "-c", "exec -a x mkdir d/a"], cwd=home)
            process.wait()
            shell("touch d/b", home)
            lines = watching.lines_until("CREATE b")
        assert lines[-1] == f"{home}/d/ CREATE b"

    @needs_root
    def test_a_process_that_is_ignored(self, inotifywait, home):
        shell("mkdir d", home)
        process = subprocess.Popen(["/bin/bash", "-c", "read -r; echo >d/a"], cwd=home, stdin=subprocess.PIPE)
        with Watching(inotifywait, "-e", "create", "--ignore-pid", process.pid, "d", cwd=home) as watching:
            process.communicate(b"\n")
            shell("touch d/b", home)
            lines = watching.lines_until("CREATE b")
        assert lines == [f"{home}/d/ CREATE b"]

    @pytest.mark.parametrize("arguments, complaint", [
        (["--ignore-pid", "1"], "--ignore-pid needs --fanotify: inotify does not tell who did it."),
        (["--ignore-program", "x"], "--ignore-program needs --fanotify: inotify does not tell who did it."),
        (["--format", "%p"], "%p and %P in --format need --fanotify: inotify does not tell who did it."),
        (["--format", "%P %f"], "%p and %P in --format need --fanotify: inotify does not tell who did it."),
        (["-F", "--ignore-pid", "0"], "--ignore-pid: '0' is no process number."),
        (["--below"], "--below needs --filesystem."),
    ])
    def test_refused(self, arguments, complaint, inotifywait, room):
        done = subprocess.run([inotifywait, *arguments, room], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", complaint + "\n")


@pytest.fixture
def nobody(inotifywait, home):
    """An ordinary user, who may do everything in `home`; None: whoever runs the tests is one."""
    home.chmod(0o777)
    if os.geteuid() != 0:
        return None
    if not _reachable(inotifywait):
        pytest.skip("the build directory is not for everybody")
    return 65534


def test_an_ordinary_user_is_told_of_directories_that_are_not_watched_themselves(inotifywait, home, nobody):
    """Handles may not be opened: who they are is seen from the directories watched."""
    shell("mkdir -p d/s; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-e", "open,create", "d", cwd=home, user=nobody) as watching:
        for deed in ("ls d/s", "mkdir d/n; ls d/n", "mv d/s d/t; ls d/t", "mkdir d/g; ls d/g; rmdir d/g", "touch d/end"):
            shell(deed, home)
        lines = watching.lines_until(" end")
        said = watching.err.read_text()
    opened = {line.split()[0] for line in lines if "OPEN,ISDIR" in line}
    assert opened >= {f"{home}/d/{name}/" for name in "sntg"}
    assert said == "Setting up watches.\nWatches established.\n"


def test_an_ordinary_user_watches_a_file(inotifywait, home, nobody):
    shell("mkdir d; echo x >d/f; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-e", "close_write", "d/f", cwd=home, user=nobody) as watching:
        shell("echo y >>d/f", home)
        assert watching.lines_until("CLOSE_WRITE") == [f"{home}/d/ CLOSE_WRITE,CLOSE f"]


@needs_root
@pytest.mark.parametrize("capabilities, mode, complaint", [
    ([], "-F", None),
    ([], "-S", "Couldn't initialize fanotify: a whole filesystem is watched by root only (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)"),
    (["dac_read_search"], "-F", None),
    (["dac_read_search"], "-S",
     "Couldn't initialize fanotify: a whole filesystem is watched by root only (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)"),
    (["sys_admin"], "-F", None),
    (["sys_admin"], "-S", "Couldn't watch d: finding directories needs CAP_DAC_READ_SEARCH, too"),
    (["sys_admin", "dac_read_search"], "-F", None),
    (["sys_admin", "dac_read_search"], "-S", None),
])
def test_what_each_capability_is_for(capabilities, mode, complaint, inotifywait, home, nobody):
    shell("mkdir d; chmod 777 d", home)
    wanted = ",".join(["-all", *(f"+{one}" for one in capabilities)])
    program = home / "program"
    program.write_text(f"#!/bin/sh\nexec setpriv --reuid {nobody} --clear-groups --inh-caps={wanted} --ambient-caps={wanted} "
                       f"{inotifywait} \"$@\"\n")
    program.chmod(0o755)
    if complaint:
        done = subprocess.run([program, "-q", mode, "d"], cwd=home, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", complaint + "\n")
        return
    with Watching(program, mode, "-e", "create", "--format", "%p %w%f", "d", cwd=home) as watching:
        (home / "d/f").touch()
        who = os.getpid() if "sys_admin" in capabilities else ""
        assert watching.lines_until("/f") == [f"{who} {home}/d/f"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_an_ordinary_user_watches_directories_and_is_told_who_may_watch_filesystems(inotifywait, home, nobody):
    shell("mkdir -p d/s; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-r", "-e", "create", "d", cwd=home, user=nobody) as watching:
        shell("touch d/s/f", home)
        assert watching.lines_until("CREATE f") == [f"{home}/d/s/ CREATE f"]
    done = subprocess.run([inotifywait, "-S", "d"], cwd=home, user=nobody, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == ("Couldn't initialize fanotify: a whole filesystem is watched by root only "
                           "(CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)\n")


def _reachable(path):
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
