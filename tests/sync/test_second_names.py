# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written by one name of a file shows under its others, also if that one is new, moves or goes at once."""

import os
import signal

import pytest
from sync_support import wait_identical, wait_until, write


@pytest.mark.parametrize("settle", ["1s", "20ms"])
@pytest.mark.parametrize("go", [os.unlink, lambda name: os.rename(name, name.parents[2] / "outside")], ids=["deleted", "out"])
def test_a_name_goes_through_which_its_file_was_written(source, folder, run, settle, go):
    """truncate(2) leaves nothing to be closed: the change is kept back until nobody touches the file any more."""
    write(source / "d/a", "old")
    for name in ("d/b", "c"):
        os.link(source / "d/a", source / name)
    run("--delete", "--settle", settle, source, folder / "copy")
    wait_identical(source, folder / "copy")
    os.truncate(source / "d/b", 1)
    go(source / "d/b")
    wait_identical(source, folder / "copy")


def append(path):
    with open(path, "a") as file:
        file.write("more")


def directory_renamed(source):
    os.rename(source / "a", source / "b")
    append(source / "b/f")
    os.unlink(source / "b/f")
    os.rmdir(source / "b")


def file_renamed(source):
    os.rename(source / "a/f", source / "a/h")
    append(source / "a/h")
    os.unlink(source / "a/h")


def file_replaced(source):
    append(source / "a/f")
    write(source / "a/x", "another")
    os.rename(source / "a/x", source / "a/f")


def open_without_a_name(source):
    with open(source / "a/f", "a") as file:
        os.unlink(source / "a/f")
        os.rename(source / "a", source / "b")
        file.write("more")


@pytest.mark.parametrize("change", [directory_renamed, file_renamed, file_replaced, open_without_a_name])
def test_a_file_is_written_by_a_name_that_a_rename_gave_or_took(source, folder, run, change):
    write(source / "a/f", "old")
    (source / "z").mkdir()
    os.link(source / "a/f", source / "z/g")
    run("--delete", source, folder / "copy")
    wait_identical(source, folder / "copy")
    change(source)
    wait_identical(source, folder / "copy")


def test_a_file_is_written_long_after_its_name_is_gone_and_its_directory_renamed(source, folder, run):
    write(source / "a/f", "old")
    (source / "z").mkdir()
    os.link(source / "a/f", source / "z/g")
    run("--delete", source, folder / "copy")
    wait_identical(source, folder / "copy")
    with open(source / "a/f", "a") as file:
        for change in (lambda: os.unlink(source / "a/f"), lambda: os.rename(source / "a", source / "b"),
                       lambda: os.rename(source / "z", source / "y")):
            change()
            wait_identical(source, folder / "copy")
        file.write("more")
    wait_identical(source, folder / "copy")


def linked(source):
    for name in ("f", "g"):
        write(source / "a" / name, f"old {name}")
        write(source / "z/unrelated")
        os.link(source / "a" / name, source / "z" / name)
        os.link(source / "a" / name, source / "z" / f"{name}2")


def replace_by_new(source):
    write(source / "x", "another")
    os.rename(source / "x", source / "a/f")


def test_a_file_is_written_whose_name_is_that_of_another_when_the_source_is_read(source, folder, run):
    """A link of a file that had one name only makes it read the source."""
    linked(source)
    write(source / "n1")
    program = run("--delete", source, folder / "copy")
    wait_identical(source, folder / "copy")
    program.process.send_signal(signal.SIGSTOP)
    os.link(source / "n1", source / "n2")
    append(source / "a/f")
    replace_by_new(source)
    program.process.send_signal(signal.SIGCONT)
    wait_identical(source, folder / "copy")


def test_a_file_is_written_long_after_its_name_is_that_of_another(source, folder, run):
    linked(source)
    run("--delete", source, folder / "copy")
    wait_identical(source, folder / "copy")
    with open(source / "a/f", "a") as file:
        for change in (lambda: replace_by_new(source), lambda: os.chmod(source / "z/f", 0o600)):
            change()
            wait_identical(source, folder / "copy")
        file.write("more")
    wait_identical(source, folder / "copy")


def test_files_are_written_that_had_the_same_name_one_after_the_other(source, folder, run):
    linked(source)
    run("--delete", source, folder / "copy")
    wait_identical(source, folder / "copy")
    with open(source / "a/f", "a") as first:
        os.rename(source / "a/g", source / "a/f")
        with open(source / "a/f", "a") as second:
            replace_by_new(source)
            wait_identical(source, folder / "copy")
            second.write("more")
        wait_identical(source, folder / "copy")
        first.write("more")
    wait_identical(source, folder / "copy")


def fill(source, tree):
    """A run over `tree` takes a second and a half for the first file, and has long listed the others by then."""
    write(tree / "a", "x" * 3_000_000)
    write(tree / "1b/b", "one")
    (tree / "1c").mkdir()
    os.link(tree / "1b/b", tree / "1c/c")
    for name in "bc":
        write(source / f"2{name}" / name, "two")


def replaced(source, tree, name):
    os.rename(source / f"2{name}" / name, tree / f"1{name}" / name)


def directory_exchanged(source, tree, name):
    os.rename(tree / f"1{name}", source / "away")
    os.rename(source / f"2{name}", tree / f"1{name}")


def made_again(source, tree, name):
    (tree / f"1{name}" / name).unlink()
    write(tree / f"1{name}" / name, "new")


@pytest.mark.parametrize("change", [replaced, directory_exchanged, made_again])
@pytest.mark.parametrize("name", "bc")
@pytest.mark.parametrize("is_there_first", [True, False], ids=["full pass", "list run"])
def test_a_name_becomes_another_file_while_a_run_has_it_listed(source, folder, run, change, is_there_first, name):
    """rsync sends a file by one of its names; what that is by then, would be under all of them."""
    fill(source, source / "d" if is_there_first else folder / "d")
    program = run("--delete", source, folder / "copy", "--", "--bwlimit=2000")
    if not is_there_first:
        program.wait_said("in step")
        os.rename(folder / "d", source / "d")
    wait_until(lambda: list((folder / "copy").glob("d/.a.*")), "a run is under way")
    change(source, source / "d", name)
    wait_identical(source, folder / "copy", deadline=20)


def outside(source, folder):
    os.rename(source / "d/a", folder / "outside")
    return open(folder / "outside", "a")


def in_a_directory_that_left(source, folder):
    os.rename(source / "d", folder / "outside")
    return open(folder / "outside/a", "a")


def open_and_removed_with_its_directory(source, folder):
    file = open(source / "d/a", "a")
    (source / "d/a").unlink()
    (source / "d").rmdir()
    return file


def excluded(source, folder):
    os.link(source / "b", source / "hidden/c")
    return open(source / "hidden/c", "a")


@pytest.mark.parametrize("way", [outside, in_a_directory_that_left, open_and_removed_with_its_directory, excluded])
def test_what_is_written_where_nobody_looks_is_found_by_the_name_that_is_left(source, folder, run, way):
    write(source / "d/a", "old")
    os.link(source / "d/a", source / "b")
    (source / "hidden").mkdir()
    program = run("--delete", "--settle", "20ms", "--exclude", "hidden", source, folder / "copy")
    program.wait_said("in step")
    with way(source, folder) as file:
        wait_until(lambda: not (folder / "copy/d/a").exists() or way == excluded, "all that was told is done")
        for text in ("more", "and more"):
            file.write(text)
            file.flush()
            wait_until(lambda: (folder / "copy/b").read_text() == (source / "b").read_text(), "the news")
    assert (source / "b").read_text() == "oldmoreand more"
