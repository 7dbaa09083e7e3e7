# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a name can be becomes everything else in every way, beside odd names, times, modes and hard links: one
source, a directory a case, done while the program looks on, and while it is stopped so that it reads of all at once."""

import ctypes
import itertools
import mmap
import os
import shutil
import signal

import pytest
from fault_support import LATE
from sync_support import describe, differences, fake_rsync, wait_identical, wait_until, write
from test_changes import ODD_NAMES

AT_FDCWD, RENAME_EXCHANGE = -100, 2


# What can stand at a path.

def nothing(path):
    pass


def empty_file(path):
    path.touch()


def file(path):
    write(path, "content of a file")


def large_file(path):
    path.write_bytes(b"large" * 80_000)


def empty_directory(path):
    path.mkdir()


def full_directory(path):
    write(path / "a/b/file", "deep in a directory")
    write(path / "x", "in a directory")
    (path / "link").symlink_to("x")


def link_to_directory(path):
    path.symlink_to("..")


def dangling_link(path):
    path.symlink_to("nowhere")


def linked_file(path):
    write(path, "linked")
    second = path.with_name(path.name + "-too")
    while os.path.lexists(second):
        second = second.with_name(second.name + "-too")
    os.link(path, second)


def fifo(path):
    os.mkfifo(path)


KINDS = [nothing, empty_file, file, large_file, empty_directory, full_directory, link_to_directory, dangling_link,
         linked_file, fifo]


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


# How one thing takes the place of another.

def made_in_its_place(path, kind, outside):
    remove(path)
    kind(path)


def renamed_to_its_place(path, kind, outside):
    kind(path.with_name("new"))
    remove(path)
    if kind is not nothing:
        path.with_name("new").rename(path)


def moved_in(path, kind, outside):
    kind(outside / path.parent.name)
    remove(path)
    if kind is not nothing:
        (outside / path.parent.name).rename(path)


def exchanged(path, kind, outside):
    other = path.with_name("other")
    kind(other)
    if kind is nothing or not os.path.lexists(path):
        return
    done = ctypes.CDLL(None, use_errno=True).renameat2(AT_FDCWD, os.fsencode(path), AT_FDCWD, os.fsencode(other),
                                                       RENAME_EXCHANGE)
    assert done == 0, os.strerror(ctypes.get_errno())


WAYS = [made_in_its_place, renamed_to_its_place, moved_in, exchanged]


# What is done to an odd name: to a file under it, and to a directory.

def touch_to(path, ns):
    os.utime(path, ns=(ns, ns), follow_symlinks=False)


def same_size_same_time(path):
    before = path.lstat()
    path.write_bytes(path.read_bytes().swapcase())
    touch_to(path, before.st_mtime_ns)


def replaced(path):
    write(path.with_name("replacement"), "another")
    path.with_name("replacement").rename(path)


def renamed_away(path):
    path.rename(path.with_name("plain name"))


def became_a_directory(path):
    remove(path)
    write(path / path.name)


def linked(path):
    os.link(path, path.with_name("second name"))


NAME_CHANGES = [lambda path: path.write_text("written again"), same_size_same_time, replaced, renamed_away,
                lambda path: path.chmod(0o640), remove, became_a_directory, linked]


# Times, modes and links of one thing.

def nanosecond_later(path):
    touch_to(path, path.lstat().st_mtime_ns + 1)


def same_second(path):
    second = path.lstat().st_mtime_ns // 10**9 * 10**9
    path.write_text("CONTENT OF A FILE")
    touch_to(path, second + 5)


def grown_with_its_old_time(path):
    before = path.lstat()
    with path.open("a") as grown:
        grown.write("more")
    touch_to(path, before.st_mtime_ns)


def cut_and_filled(path):
    os.truncate(path, 0)
    path.write_text("filled again")


def written_over_a_mapping(path):
    with path.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        mapped[:7] = b"MAPPING"


def link_broken(path):
    text = path.read_text()
    path.unlink()
    write(path, text)


def link_moved(path):
    (path.parent / "sub").mkdir()
    path.rename(path.parent / "sub/moved")


def link_replaced_by_another(path):
    write(path.with_name("y"), "of another")
    path.unlink()
    os.link(path.with_name("y"), path)


def written_under_both_names(path):
    with path.open("a") as one, path.with_name(path.name + "-too").open("a") as other:
        one.write("one")
        one.flush()
        other.write("other")


def third_name_written(path):
    os.link(path, path.with_name("third"))
    path.with_name("third").write_text("by its third name")


def times_of(ns):
    return lambda path: touch_to(path, ns)


def mode_of(mode):
    return lambda path: path.chmod(mode)


CHANGES = [(kind, change) for kinds, changes in [
    ([empty_file, file, large_file, empty_directory, full_directory, dangling_link, linked_file],
     [nanosecond_later, times_of(1), times_of(10**9 - 1), times_of(4 * 10**18 + 7), times_of(-10**9 + 3)]),
    ([file, large_file, linked_file], [mode_of(mode) for mode in (0o400, 0o600, 0o666, 0o777, 0o4755, 0o2711)]),
    ([empty_directory, full_directory], [mode_of(mode) for mode in (0o700, 0o711, 0o1777, 0o2755)]),
    ([file], [same_second, grown_with_its_old_time, cut_and_filled, written_over_a_mapping]),
    ([file, large_file, linked_file], [same_size_same_time, replaced, renamed_away, linked]),
    ([linked_file], [link_broken, link_moved, link_replaced_by_another, written_under_both_names, third_name_written]),
] for kind in kinds for change in changes]


class Cases:
    """Every case has a directory of its own: `before` fills it, `change` does what is to be done."""

    def __init__(self, source, outside):
        self.made = 0
        self.todo = []
        for was, becomes, way in itertools.product(KINDS, KINDS, WAYS):
            path = self._place(source, was)
            self.todo.append(lambda path=path, becomes=becomes, way=way: way(path, becomes, outside))
        for name, change in itertools.product(ODD_NAMES, NAME_CHANGES):
            path = self._place(source, file, name)
            self.todo.append(lambda path=path, change=change: change(path))
        for was, change in CHANGES:
            path = self._place(source, was)
            self.todo.append(lambda path=path, change=change: change(path))

    def _place(self, source, kind, name="x"):
        place = source / str(self.made)
        place.mkdir()
        kind(place / name)
        self.made += 1
        return place / name


def times(top):
    """What a description leaves out: the times of directories and links."""
    found = {}
    for directory, directories, files in os.walk(top):
        for name in [".", *directories, *files]:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            if "mtime" not in describe(path, info):
                found[os.path.relpath(path, top)] = info.st_mtime_ns
    return found


def wrong(source, target):
    try:
        a, b = times(source), times(target)
    except OSError as changing:
        return [str(changing)]
    return differences(source, target) + [f"time of {name!r}: {a.get(name)} / {b.get(name)}"
                                          for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


@pytest.mark.parametrize("at_once", [False, True])
def test_everything_becomes_everything_else(source, folder, start_daemon, run, at_once):
    (folder / "outside").mkdir()
    cases = Cases(source, folder / "outside")
    assert cases.made == len(KINDS)**2 * len(WAYS) + len(ODD_NAMES) * len(NAME_CHANGES) + len(CHANGES)
    daemon = start_daemon("web1")
    program = run("--delete", "--password-file", daemon.password_file, f"{source}/", folder / "copy", daemon.url)
    program.wait_said("in step", times=2)
    if at_once:
        program.process.send_signal(signal.SIGSTOP)
    for change in cases.todo:
        change()
    program.process.send_signal(signal.SIGCONT)
    for target in (daemon.root, folder / "copy"):
        wait_until(lambda target=target: not wrong(source, target),
                   lambda target=target: "identical: " + "\n".join(wrong(source, target)[:20]), LATE)


@pytest.mark.parametrize("option", ["checksum", "fuzzy", "link-dest"])
def test_a_daemon_that_refuses_what_a_rename_needs(source, daemons, sync, option):
    """It is done without, on that target alone."""
    write(source / "big", "b" * 1_000_000)
    for n in range(4):
        write(source / f"dir/{n}", str(n) * 300_000)
    daemons[0].reconfigure(refuse_options=option)
    program = sync()
    (source / "big").rename(source / "large")
    (source / "dir").rename(source / "directory")
    write(source / "later")
    wait_identical(source, *(d.root for d in daemons))
    program.wait_said("what is renamed is sent again there")
    (source / "directory").rename(source / "last")
    wait_identical(source, *(d.root for d in daemons))
    assert program.output().count("is sent again there") == 1


def test_a_path_too_long_for_rsync_is_told_and_keeps_no_other_back(source, folder, run):
    program = run("--delete", source, folder / "copy")
    program.wait_said("in step")
    place = os.open(source, os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("n" * 250, dir_fd=place)
        below = os.open("n" * 250, os.O_DIRECTORY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    program.wait_said("filename overflows max-path len")
    write(source / "file")
    wait_until((folder / "copy/file").exists, "the file arrives")


def test_what_is_written_goes_with_a_rename_while_rsync_looks(source, folder, run):
    """Size and time stay as they were, so that the target would take the old content from the old name."""
    write(source / "d/f", "a" * 100)
    (source / "d/large").write_bytes(os.urandom(3_000_000))
    (folder / "bin").mkdir()
    fake_rsync(folder / "bin", "late", f"""
import time
if "--files-from=-" not in sys.argv:
    os.execv(REAL, sys.argv)
names = sys.stdin.buffer.read()
if b"d/f" in names:
    open({str(folder / "looks")!r}, "w").close()
    while not os.path.exists({str(source / "e")!r}):
        time.sleep(0.01)
sys.exit(subprocess.run([REAL, *sys.argv[1:]], input=names, close_fds=False).returncode)
""")
    run("--delete", source, folder / "copy", environment={"PATH": f"{folder}/bin:/usr/bin:/bin"})
    wait_identical(source, folder / "copy")
    times = (source / "d/f").stat()
    file = os.open(source / "d/f", os.O_WRONLY)
    os.write(file, b"b" * 100)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.close(file)
    wait_until((folder / "looks").exists, "rsync looks at the file")
    (source / "d").rename(source / "e")
    wait_identical(source, folder / "copy")
