# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever happens in the source, three targets end up the same: a table of odd changes, each done while inotifysync
runs, on a source that already held the thing that changes."""

import os
import shutil
import signal

import pytest
from sync_support import wait_identical, write

ODD_NAMES = [
    "plain", "with space", " leading space", "trailing space ", "new\nline", "tab\there", "#hash", ";semicolon",
    "-dash", "--delete", "quote'single", 'quote"double', "back\\slash", "star*", "question?", "[class]", "{brace}",
    "$HOME", "`id`", "$(id)", "a;b", "a|b", "a&b", "~", "...", "..x", ".hidden", "+ plus", "- minus", "!", "%n", "%s",
    "caf\u00e9", "\u65e5\u672c", "\udcff\udcfe".encode(errors="surrogateescape").decode(errors="surrogateescape"),
    "\\#012", "x" * 250, ".~tmp~", "core", "CVS", "a:b", "host:path", "rsync:", "::x", "=", "@", "\x01\x7f",
]


# name: (what is there before, what is done to it)
def file_to_directory(top):
    (top / "x").unlink()
    write(top / "x/inside/file")


def directory_to_file(top):
    shutil.rmtree(top / "x")
    write(top / "x", "now a file")


def directory_to_symlink(top):
    shutil.rmtree(top / "x")
    (top / "x").symlink_to("other")


def symlink_to_directory(top):
    (top / "x").unlink()
    write(top / "x/file")


def with_file(top):
    write(top / "x")


def with_directory(top):
    write(top / "x/a/b/file")
    write(top / "x/file")
    write(top / "other/kept")


def with_symlink(top):
    write(top / "other/kept")
    (top / "x").symlink_to("other")


def nothing(top):
    top.mkdir(exist_ok=True)


def same_second_same_size(top):
    path = top / "x"
    before = path.stat()
    path.write_text("CONTENT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_rename(top):
    write(top / "x.tmp", "new content")
    (top / "x.tmp").rename(top / "x")


def swapped(top):
    (top / "x").rename(top / "t")
    (top / "y").rename(top / "x")
    (top / "t").rename(top / "y")


def with_two(top):
    write(top / "x", "first")
    write(top / "y", "second one")


def renamed_and_back_filled(top):
    (top / "x").rename(top / "z")
    write(top / "x/new")


def hard_linked(top):
    os.link(top / "x", top / "link")


def with_links(top):
    write(top / "x")
    os.link(top / "x", top / "dir-link")
    write(top / "deep/down/y")
    os.link(top / "deep/down/y", top / "y-link")


def written_through_link(top):
    with open(top / "x", "a") as file:
        file.write("more")
    with open(top / "y-link", "r+") as file:
        file.write("MORE")


def link_broken(top):
    (top / "dir-link").unlink()
    write(top / "dir-link", "alone")


def written_through_a_link_that_goes(top):
    with open(top / "x", "a") as file:
        file.write("more")
    (top / "x").unlink()
    os.chmod(top / "y-link", 0o600)
    (top / "y-link").unlink()


def moved_out_of_the_way_and_deleted(top):
    (top / "x").rename(top / "y")
    shutil.rmtree(top / "y")


def deep_and_at_once(top):
    for n in range(50):
        write(top / f"{n}/a/b/c/d/file", str(n))


def created_and_deleted(top):
    for n in range(50):
        write(top / f"f{n}")
        (top / f"f{n}").unlink()


def mode_and_time(top):
    (top / "x").chmod(0o604)
    os.utime(top / "x", ns=(1, 1_000_000_001))


def directory_mode(top):
    (top / "x").chmod(0o711)
    os.utime(top / "x/a", ns=(1, 1_000_000_001))


def truncated(top):
    os.truncate(top / "x", 2)


def parent_replaced_by_file_while_child_changes(top):
    write(top / "x/a/b/file", "changed")
    shutil.rmtree(top / "x/a")
    write(top / "x/a", "a file now")


def nested_renames(top):
    (top / "x/a").rename(top / "x/aa")
    (top / "x").rename(top / "xx")
    (top / "xx/aa/b").rename(top / "b")
    write(top / "xx/aa/file", "later")


def fifo_and_socketless_device(top):
    os.mkfifo(top / "fifo")


def symlink_changed(top):
    (top / "x").unlink()
    (top / "x").symlink_to("elsewhere/that/is/not")


def empty_file_and_directory(top):
    (top / "empty").touch()
    (top / "empty-dir").mkdir()


def sparse(top):
    with open(top / "sparse", "wb") as file:
        file.truncate(5_000_000)
        file.seek(4_000_000)
        file.write(b"x")


def large_chmod(top):
    (top / "large").chmod(0o640)


def with_large(top):
    write(top / "large", "x" * 1_000_000)


def large_renamed_in_place(top):
    (top / "large").rename(top / "larger")


def large_renamed_away(top):
    (top / "sub").mkdir()
    (top / "large").rename(top / "sub/large")


def with_large_trees(top):
    for name in ("old", "*/within", "?", "[a]", "a"):
        write(top / name / "large", name * 300_000)
        write(top / name / "of its own", name)


def renamed_like_patterns(top):
    """rsync at the other end takes what stands behind the host for a pattern."""
    (top / "old").rename(top / "*x")
    (top / "?").rename(top / "*/[in]")
    (top / "a/large").rename(top / "[a]/larger")


def deleted(top):
    path = top / "x"
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def recreated(top):
    deleted(top)
    with_directory(top)


CASES = [
    (with_file, file_to_directory), (with_directory, directory_to_file), (with_directory, directory_to_symlink),
    (with_symlink, symlink_to_directory), (with_symlink, symlink_changed), (with_symlink, deleted),
    (with_file, same_second_same_size), (with_file, replaced_by_rename), (with_two, swapped),
    (with_directory, renamed_and_back_filled), (with_file, hard_linked), (with_links, written_through_link),
    (with_links, link_broken), (with_links, written_through_a_link_that_goes), (with_directory, moved_out_of_the_way_and_deleted), (nothing, deep_and_at_once),
    (nothing, created_and_deleted), (with_file, mode_and_time), (with_directory, directory_mode),
    (with_file, truncated), (with_directory, parent_replaced_by_file_while_child_changes),
    (with_directory, nested_renames), (nothing, fifo_and_socketless_device), (nothing, empty_file_and_directory),
    (nothing, sparse), (with_large, large_chmod), (with_large, large_renamed_in_place),
    (with_large, large_renamed_away), (with_large_trees, renamed_like_patterns), (with_file, deleted), (with_directory, deleted),
    (with_directory, recreated),
]


def test_every_odd_change_arrives_exactly(source, daemons, sync):
    for number, (before, _) in enumerate(CASES):
        (source / str(number)).mkdir()
        before(source / str(number))
    sync()
    for number, (_, change) in enumerate(CASES):
        change(source / str(number))
    wait_identical(source, *(d.root for d in daemons))


def test_a_tree_written_at_once_to_an_idle_target(source, daemons, sync):
    """More names in one read than a waiting connection is given."""
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    for batch in range(3):
        program.process.send_signal(signal.SIGSTOP)
        for n in range(1500):
            write(source / f"{n % 7}/{n}", f"{batch} {n}")
        program.process.send_signal(signal.SIGCONT)
        wait_identical(source, *(d.root for d in daemons))


@pytest.mark.parametrize("one_by_one", [False, True])
def test_odd_names_arrive(source, daemons, sync, one_by_one):
    sync()
    for name in ODD_NAMES:
        write(source / name)
        write(source / ("d" + name[:200]) / name)
        if one_by_one and len(name) % 3 == 0:
            wait_identical(source, daemons[0].root)
    wait_identical(source, *(d.root for d in daemons))
    for name in ODD_NAMES:
        (source / name).unlink()
        (source / ("d" + name[:200])).rename(source / ("e" + name[:200]))
    wait_identical(source, *(d.root for d in daemons))


def test_a_large_tree_moved_in_arrives_and_leaves(source, folder, daemons, sync):
    sync()
    for n in range(300):
        write(folder / f"outside/{n % 17}/{n % 5}/{n}", str(n))
    (folder / "outside").rename(source / "inside")
    wait_identical(source, *(d.root for d in daemons))
    (source / "inside").rename(folder / "outside")
    wait_identical(source, *(d.root for d in daemons))


def test_burst_while_runs_go_on(source, daemons, sync):
    sync()
    for n in range(2000):
        write(source / f"{n % 50}/{n}", str(n))
    for n in range(0, 2000, 3):
        (source / f"{n % 50}/{n}").unlink()
    wait_identical(source, *(d.root for d in daemons))


def test_long_lists_at_once(source, daemons, sync):
    for n in range(1200):
        write(source / f"before/{n % 30}/{n}", str(n))
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)
    for n in range(1200):
        write(source / f"before/{n % 30}/{n}", f"now {n}")
        write(source / f"{n % 50}/{n}", str(n))
    program.process.send_signal(signal.SIGCONT)
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)
    for n in range(0, 1200, 2):
        (source / f"{n % 50}/{n}").unlink()
    program.process.send_signal(signal.SIGCONT)
    wait_identical(source, *(d.root for d in daemons))
    assert "again in" not in program.output()


def test_random_changes(source, daemons, sync):
    """A thousand changes in a row from a fixed seed, with files, directories and links in each other's way."""
    import random
    sync()
    chance = random.Random(7)
    names = ["a", "b", "c", "d"]

    def some_path():
        return source.joinpath(*chance.choices(names, k=chance.randint(1, 3)))

    def clear(path):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)

    for step in range(1000):
        path, kind = some_path(), chance.randrange(6)
        try:
            if kind == 0:
                clear(path)
                write(path, str(step))
            elif kind == 1:
                clear(path)
            elif kind == 2:
                path.rename(some_path())
            elif kind == 3:
                path.mkdir(parents=True)
            elif kind == 4:
                path.symlink_to(chance.choice(names))
            else:
                path.chmod(0o700)
        except OSError:
            pass  # a file where a directory was wanted, and the like: part of the game
        if step % 100 == 0:
            wait_identical(source, daemons[0].root)
    wait_identical(source, *(d.root for d in daemons))
