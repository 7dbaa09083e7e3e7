# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of a target gives errors: it is said, what was there stays, and all is right once the disk works again."""

import shutil

import pytest
from fault_support import LATE, big, holds, others_go_on, write
from sync_support import BUILD, RsyncDaemon, wait_identical, wait_until

pytestmark = pytest.mark.plain_build  # a sanitizer is to be loaded first


class BrokenDaemon(RsyncDaemon):
    """A daemon whose module lies on a disk on which some calls fail."""

    def __init__(self, folder):
        library = (BUILD / "tests/libbroken_disk.so").absolute()
        assert library.exists(), f"{library}: build it first"
        super().__init__(folder, "broken")
        self.broken = folder / "broken calls"
        environment = {"LD_PRELOAD": library, "BROKEN_DISK": self.root, "BROKEN_CALLS": self.broken}
        self.command = ["env", *(f"{name}={value}" for name, value in environment.items()), *self.command]

    def breaks(self, *calls):
        write(self.broken, " ".join(calls))

    def works(self):
        self.broken.unlink(missing_ok=True)


@pytest.fixture
def broken(folder):
    daemon = BrokenDaemon(folder).start()
    yield daemon
    daemon.stop()


@pytest.mark.parametrize("calls", ["read", "write", "name", "read write name"])
def test_the_disk_of_a_target_breaks_and_works_again(calls, source, broken, start_daemon, run):
    other = start_daemon("web2")
    (source / "big").write_bytes(big())
    for name in ("file", "d/kept", "d/gone", "e/f"):
        write(source / name, "old")
    program = run("--delete", "--audit-interval", "2", "--password-file", broken.password_file, source, broken.url, other.url)
    program.wait_said("in step", times=2)
    broken.breaks(calls)
    (source / "big").write_bytes(big(1))
    write(source / "file", "changed")
    write(source / "new/file", "new")
    (source / "d/gone").unlink()
    (source / "e").rename(source / "renamed")
    wait_identical(source, other.root, deadline=LATE)
    if calls == "read":  # what cannot be read of the old file is taken from the new one, or that is said
        wait_until(lambda: holds(broken.root / "big", big(), big(1)) or "again in" in program.output(), program.output, LATE)
    else:
        program.wait_said("Input/output error", deadline=LATE)
    others_go_on(source, [other])
    holds(broken.root / "big", big(), big(1))
    holds(broken.root / "file", b"old", b"changed")
    assert program.running()
    broken.works()
    wait_identical(source, broken.root, deadline=LATE)  # after a full pass: what could not be removed lay about
    shutil.rmtree(source / "renamed")
    wait_identical(source, broken.root, other.root, deadline=LATE)


NAMES = {"hidden": ".htaccess", "hidden below": "d/.hidden", "like a temporary one": ".eslint.config",
         "long": "x" * 255, "of two bytes each": "é" * 127, "long and hidden": "." + "y" * 254, "with quotes": 'say "no" to it'}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_what_could_not_be_written_is_not_taken_for_done(name, source, broken, run):
    """Of these, rsync's temporary files do not tell the names as others do."""
    write(source / name, "old")
    program = run("--delete", "--password-file", broken.password_file, source, broken.url)
    program.wait_said("in step")
    broken.breaks("name")
    write(source / name, "changed")
    wait_until(lambda: broken.logged("Input/output error"), program.output, LATE)
    broken.works()
    wait_until(lambda: holds(broken.root / name, b"old", b"changed"), program.output, LATE)
    assert program.output().count("in step") == 1
