# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shared libraries show to those that were linked with them, held against a list.

A symbol that goes missing, or is of another kind, breaks programs: then the number after "so." must change. New ones
are added to the list by running this file: tests/cli/test_abi.py (NOTIFY_BUILD says where the build is).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
CORE = BUILD / "libnotify_core/libnotify_core.so.5"
DROP_IN = BUILD / "libnotify_core/libinotifytools/libinotifytools.so.0"
LIST = ROOT / "libnotify_core/notify_core.symbols"

pytestmark = pytest.mark.plain_build


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True, timeout=60, **options).stdout


def shown_by(library):
    """{symbol: kind}, as nm(1) has them, without versions. Weak ones come and go with the compiler: 'w' for any."""
    lines = [line.split()[1:] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    return {name.partition("@")[0]: "w" if kind in "VWu" else kind for kind, name in lines if kind != "A"}


def listed():
    words = [line.split()[:2] for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {name: kind for kind, name in words}


def test_the_symbols_of_the_library_are_those_listed():
    if sys.maxsize < 2**32:
        pytest.skip("the list is of names with 64-bit sizes in them")
    shown, known = shown_by(CORE), listed()
    assert known, "an empty list"
    missing = [name for name, kind in known.items() if shown.get(name) != kind and kind != "w"]
    unknown = [name for name, kind in shown.items() if name not in known and kind != "w"]
    assert missing == [], "gone: programs linked before no longer start"
    assert unknown == [], f"new: promised from now on; run {Path(__file__).name} to list them"


def test_the_drop_in_shows_the_functions_of_its_header_and_nothing_else():
    header = (ROOT / "libnotify_core/libinotifytools/include/inotifytools/inotifytools.h").read_text()
    declared = set(re.findall(r"\b(inotifytools_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)))
    assert len(declared) == 40
    assert set(shown_by(DROP_IN)) == declared
    assert "[libinotifytools.so.0]" in run("readelf", "-d", DROP_IN)


def test_the_drop_in_shows_what_debians_has():
    """But for what its header does not declare."""
    reference = Path(f"/usr/lib/{run('cc', '-print-multiarch').strip()}/libinotifytools.so.0")
    if not reference.exists():
        pytest.skip("needs Debian's library (apt-get install libinotifytools0)")
    theirs = {name for name in shown_by(reference) if name.startswith("inotifytools_")}
    assert theirs - set(shown_by(DROP_IN)) == {"inotifytools_wd_sorted_by_event"}


def write_list():
    shown = shown_by(CORE)
    plain = run("c++filt", input="\n".join(shown)).splitlines()
    lines = sorted(f"{kind} {name}  # {words}" for (name, kind), words in zip(shown.items(), plain))
    LIST.write_text("# SPDX-License-Identifier: GPL-2.0-or-later\n"
                    "# The symbols of libnotify_core.so.5: kind (T: function, w: weak), name, what it is called in the"
                    " sources.\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    write_list()
