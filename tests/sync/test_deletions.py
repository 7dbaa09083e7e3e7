# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be deleted on the targets, and what never: the source guard, --delete, --max-delete."""

import shutil
import signal

import pytest
from sync_support import tree, wait_identical, wait_until, write


def test_source_moved_away_and_back_deletes_nothing(source, folder, daemons, sync):
    write(source / "a/b/file")
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    before = tree(source)
    source.rename(folder / "away")
    program.wait_said("the source is gone")
    source.mkdir()
    for daemon in daemons:
        assert tree(daemon.root) == before
    source.rmdir()
    write(folder / "away/meanwhile")
    (folder / "away").rename(source)
    program.wait_said("the source is back")
    wait_identical(source, *(d.root for d in daemons))
    write(source / "after")
    wait_identical(source, *(d.root for d in daemons))


def test_another_directory_in_the_source_s_place_deletes_nothing(source, folder, daemons, sync):
    write(source / "file")
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    source.rename(folder / "away")
    source.mkdir()
    write(source / "other")
    program.wait_said("another directory is in the source's place: nothing is deleted anywhere, and nothing is sent until"
                      " SIGHUP accepts it")
    assert all((d.root / "file").exists() and not (d.root / "other").exists() for d in daemons)
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, *(d.root for d in daemons))
    write(source / "later")
    wait_identical(source, *(d.root for d in daemons))
    assert program.output().count("another directory is in") == 1


@pytest.mark.parametrize("settings", ["", "initial_sync = false\n"])
def test_another_directory_is_accepted_where_there_is_a_configuration(source, folder, run, settings):
    write(source / "old")
    write(folder / "copy/old")
    config = folder / "sync.toml"
    config.write_text(f'[[source]]\npath = "{source}"\ndelete = true\n{settings}targets = ["{folder}/copy"]\n')
    program = run("--config", config)
    # Until it is watched, nobody tells of what happens.
    wait_until(lambda: write(source / "first") or (folder / "copy/first").exists(), program.output)
    source.rename(folder / "away")
    write(source / "new")
    program.wait_said("SIGHUP accepts it")
    assert (folder / "copy/old").exists()
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, folder / "copy")


def test_an_empty_directory_in_the_source_s_place_is_not_accepted(source, folder, run):
    write(source / "file")
    program = run("--delete", source, folder / "copy")
    program.wait_said("in step")
    source.rename(folder / "away")
    source.mkdir()
    program.wait_said("unmounted?")
    program.process.send_signal(signal.SIGHUP)
    program.process.send_signal(signal.SIGUSR1)
    program.wait_said("unmounted?: no target gets anything from it")
    write(source / "now")
    program.wait_said("SIGHUP accepts it")
    assert (folder / "copy/file").exists()


def test_a_link_to_the_source_that_leads_elsewhere(folder, run):
    for release in ("rel1", "rel2"):
        write(folder / release / release)
    (folder / "current").symlink_to("rel1")
    program = run("--delete", "--status-file", folder / "status", folder / "current", folder / "copy")
    program.wait_said("in step")
    (folder / "new").symlink_to("rel2")
    (folder / "new").rename(folder / "current")
    program.wait_said(f"{folder}/current another directory is in the source's place")  # though nothing happened in rel1
    wait_until(lambda: '"state":"replaced"' in (folder / "status").read_text(), program.output)
    assert not (folder / "copy/rel2").exists()
    program.process.send_signal(signal.SIGHUP)
    wait_identical(folder / "rel2", folder / "copy")
    write(folder / "rel2/later")
    wait_identical(folder / "rel2", folder / "copy")
    write(folder / "rel1/unseen")
    (folder / "back").symlink_to("rel1")
    (folder / "back").rename(folder / "current")
    program.wait_said("another directory is in the source's place", times=2)
    assert not (folder / "copy/unseen").exists()


def test_empty_source_at_start_deletes_nothing(source, daemons, run):
    for daemon in daemons:
        write(daemon.root / "precious")
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons))
    program.wait_said("all but deletions", times=3)
    program.wait_said("the source is empty")
    assert all((d.root / "precious").exists() for d in daemons)


def test_a_directory_above_the_source_is_replaced(folder, run):
    write(folder / "app/data/old")
    program = run("--delete", folder / "app/data", folder / "copy")
    program.wait_said("in step")
    shutil.copytree(folder / "app", folder / "next")
    write(folder / "next/data/new")
    (folder / "app").rename(folder / "last")
    (folder / "next").rename(folder / "app")
    program.wait_said("another directory is in the source's place")
    program.process.send_signal(signal.SIGHUP)
    wait_identical(folder / "app/data", folder / "copy")


def test_what_comes_in_the_place_of_an_empty_source_is_watched(source, folder, run):
    program = run("--delete", source, folder / "copy")
    program.wait_said("in step")
    source.rename(folder / "away")
    write(source / "other")
    wait_identical(source, folder / "copy")
    write(source / "later")
    wait_identical(source, folder / "copy")
    source.rename(folder / "strange")
    write(folder / "away/own")
    (folder / "away").rename(source)
    wait_identical(source, folder / "copy")
    write(source / "last")
    wait_identical(source, folder / "copy")


def test_without_delete_nothing_is_deleted(source, daemons, run):
    write(source / "a")
    write(daemons[0].root / "stray")
    program = run("--password-file", daemons[0].password_file, source, daemons[0].url)
    program.wait_said("in step")
    (source / "a").unlink()
    write(source / "b")
    wait_until(lambda: (daemons[0].root / "b").exists(), "b is there")
    assert (daemons[0].root / "a").exists() and (daemons[0].root / "stray").exists()


def test_max_delete_holds(source, daemons, sync):
    for n in range(10):
        write(source / f"f{n}")
    program = sync("--max-delete", "5")
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)  # so that it is one batch
    for n in range(10):
        (source / f"f{n}").unlink()
    write(source / "new")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("until SIGHUP", times=3)
    wait_until(lambda: all((d.root / "new").exists() for d in daemons), program.output)
    assert all(len(list(d.root.glob("f*"))) == 10 for d in daemons)


def test_max_delete_sees_what_goes_with_a_directory(source, daemons, sync):
    for n in range(10):
        write(source / f"d/f{n}")
    write(source / "e/f")
    program = sync("--max-delete", "50%")  # of 13 names
    wait_identical(source, *(d.root for d in daemons))
    (source / "d").rename(source / "other")  # nothing is lost by that
    shutil.rmtree(source / "e")
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)  # so that it is one batch
    shutil.rmtree(source / "other")
    write(source / "new")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("until SIGHUP", times=3)
    wait_until(lambda: all((d.root / "new").exists() for d in daemons), program.output)
    assert all(len(list(d.root.glob("other/f*"))) == 10 for d in daemons)
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, *(d.root for d in daemons))


def test_max_delete_of_a_tree_that_moves_away(source, daemons, sync):
    for n in range(10):
        write(source / f"d/f{n}")
    program = sync("--max-delete", "5")
    wait_identical(source, *(d.root for d in daemons))
    (source / "d").rename(source.parent / "elsewhere")
    program.wait_said("until SIGHUP", times=3)
    assert all(len(list(d.root.glob("d/f*"))) >= 5 for d in daemons)


@pytest.mark.parametrize("put", [lambda path: write(path, "now a file"), lambda path: path.symlink_to("kept")])
@pytest.mark.parametrize("clear", [shutil.rmtree, lambda path: path.rename(path.parent.parent / "away")])
def test_max_delete_does_not_count_what_something_else_takes_the_place_of(source, daemons, sync, put, clear):
    for n in range(10):
        write(source / f"swapped/d{n % 3}/{n}")
    write(source / "kept")
    program = sync("--max-delete", "5")
    program.process.send_signal(signal.SIGSTOP)  # it is told of both at once
    clear(source / "swapped")
    put(source / "swapped")
    program.process.send_signal(signal.SIGCONT)
    wait_identical(source, *(d.root for d in daemons))
    assert "--max-delete" not in program.output()
