# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests that run programs have in common: places and programs that everybody can reach."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

os.umask(0o022)  # whatever the user's is: what a test makes, the programs of others are to see


def _is_for_everybody(path):
    path = path.resolve()
    bits = 0o001 if path.is_dir() else 0o004
    return path.stat().st_mode & bits and all(parent.stat().st_mode & 0o001 for parent in path.parents)


@pytest.fixture(scope="session")
def temporary_place():
    """A directory for temporary ones; that of the user may be for him alone, as his home is."""
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    return next((place for place in places if place.is_dir() and _is_for_everybody(place)), places[0])


def _with_libraries(program):
    linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    libraries = [os.path.normpath(found) for found in re.findall(r"=> (/\S+)", linked)]
    return [program, *(Path(found) for found in libraries if not found.startswith(("/usr/", "/lib")))]


@pytest.fixture(scope="session")
def for_everybody(temporary_place):
    """for_everybody(program) is one that an ordinary user can run: out of a build that is for root alone it is copied."""
    copies = {}
    place = Path(tempfile.mkdtemp(prefix="notify-programs-", dir=temporary_place))

    def copy(program):
        parts = _with_libraries(program)
        top = os.path.commonpath([part.parent for part in parts])
        for part in parts:  # they find each other by where they are
            other = place / part.relative_to(top)
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part, other)
        subprocess.run(["chmod", "-R", "755", place], check=True)
        if not _is_for_everybody(place):
            pytest.skip(f"neither {program} nor {place} can be reached by everybody")
        return place / program.relative_to(top)

    def reached(program):
        program = Path(program).absolute()
        if os.geteuid() != 0 or all(map(_is_for_everybody, _with_libraries(program))):
            return program
        if program not in copies:
            copies[program] = copy(program)
        return copies[program]

    yield reached
    shutil.rmtree(place)
