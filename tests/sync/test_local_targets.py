# SPDX-License-Identifier: GPL-2.0-or-later
"""Local targets that turn into something else while the program runs."""

import os
import subprocess

import pytest
from sync_support import fake_rsync, wait_identical, write

NAMESPACES = subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0


def test_a_link_that_comes_to_lead_to_what_holds_the_source(folder, run):
    tree, target, link = folder / "tree", folder / "target", folder / "link"
    write(tree / "source/file")
    write(tree / "other")
    target.mkdir()
    link.symlink_to(target)
    program = run("--delete", "--audit-interval", "1", tree / "source", link)
    program.wait_said("in step")
    link.unlink()
    link.symlink_to(tree)
    program.wait_said(f"'{link}' holds its own source '{tree}/source': nothing is sent there")
    write(tree / "source/new")
    assert sorted(os.listdir(tree)) == ["other", "source"] and (tree / "source/file").exists()
    link.unlink()
    link.symlink_to(target)
    wait_identical(tree / "source", target)
    assert sorted(os.listdir(tree)) == ["other", "source"]


@pytest.mark.parametrize("run_that_deletes", ["full pass", "by name"])
def test_a_link_that_is_turned_when_a_run_begins(folder, path, run, run_that_deletes):
    """Between the look and the run there is always a moment."""
    tree, target, link = folder / "tree", folder / "target", folder / "link"
    for name in ("source/file", "source/gone", "other", "gone"):
        write(tree / name)
    target.mkdir()
    link.symlink_to(target)
    fake_rsync(path, "turning", f"""
if os.path.exists({str(folder / "turn")!r}):
    os.unlink({str(link)!r})
    os.symlink({str(tree)!r}, {str(link)!r})
os.execv(REAL, [REAL, *sys.argv[1:]])
""")
    if run_that_deletes == "full pass":
        write(folder / "turn")
    program = run("--delete", tree / "source", link, environment={"PATH": str(path)})
    if run_that_deletes == "by name":
        program.wait_said("in step")
        write(folder / "turn")
        (tree / "source/gone").unlink()
    program.wait_said("holds its own source")
    wait_identical(tree / "source", target)
    assert sorted(os.listdir(tree)) == ["gone", "other", "source"] and (tree / "source/file").exists()


@pytest.mark.parametrize("has_changes", [False, True])
def test_another_directory_in_its_place(folder, source, run, has_changes):
    write(source / "d/file")
    write(source / "file")
    (folder / "copy").mkdir()
    program = run("--delete", source, folder / "copy")
    program.wait_said("in step")
    (folder / "copy").rename(folder / "gone")
    write(folder / "copy/strange")
    if has_changes:
        write(source / "file", "changed")
    wait_identical(source, folder / "copy")


@pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here")
def test_its_filesystem_is_unmounted_for_a_while(folder, source, run):
    write(source / "d/file")
    disk, copy = folder / "disk", folder / "copy"
    disk.mkdir()
    copy.mkdir()
    script = f'mount --bind "{disk}" "{copy}" && exec "$0" "$@"'
    program = run("--delete", source, copy, through=["unshare", "-Urm", "sh", "-c", script])
    program.wait_said("in step")

    def enter(*command):
        inside = ["nsenter", "-t", str(program.process.pid), "-U", "-m", "--preserve-credentials"]
        subprocess.run([*inside, *command], check=True)

    enter("umount", "-l", copy)
    program.wait_said("what was mounted there is gone")
    write(source / "d/new")
    write(disk / "strange")
    enter("mount", "--bind", disk, copy)
    wait_identical(source, disk)
    assert os.listdir(copy) == []  # of the directory below, which shows outside


@pytest.mark.parametrize("deep", ["sub", "sub/deeper"])
def test_a_large_file_renamed_into_a_directory_of_the_same_batch(folder, run, deep):
    """It is linked there, and must not become the directory."""
    source, target = folder / "source", folder / "target"
    for n in range(8):  # the first ones are sent with more than is needed, as a full pass has just ended
        write(source / f"large{n}", "x" * 600_000)
    program = run("--delete", source, target)
    program.wait_said("in step")
    for n in range(8):  # while the first file goes, the rest gathers
        line = f"echo {n} >first; mkdir -p {n}{deep}; mv large{n} {n}{deep}/large"
        subprocess.run(["sh", "-c", line], cwd=source, check=True)
        wait_identical(source, target, deadline=20)
