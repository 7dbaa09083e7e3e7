# SPDX-License-Identifier: GPL-2.0-or-later
"""What gcovr found, said by rooms: scripts/coverage runs it.

A room is a folder of sources. Pure is what is decided by data alone; the rest makes system calls or wires things up,
and is for the tests of the programs, most of which end by a signal and so leave no counts behind.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import PurePath

PURE = {
    "libnotify_core/event", "libnotify_core/text", "libnotify_core/statistics", "tools/inotifysync/changes",
    "tools/inotifysync/config", "tools/inotifysync/rsync",
}
PURE_FILES = {
    "libnotify_core/backend/inotify_decoder.cpp", "libnotify_core/backend/fanotify_decoder.cpp",
    "libnotify_core/watch/watch_tree.cpp", "libnotify_core/watch/move_pairing.cpp",
    "tools/common/command_line.cpp", "tools/common/event_list.cpp", "tools/common/path_list.cpp",
    "tools/common/seconds.cpp", "tools/common/visible.cpp", "tools/inotifysync/delivery/backoff.cpp",
    "tools/inotifysync/delivery/source_guard.cpp", "tools/inotifysync/report/status.cpp",
}


def room_of(path):
    room = str(PurePath(path).parent)
    room = "libnotify_core/include" if room.startswith("libnotify_core/include") else room
    pure = room in PURE or path in PURE_FILES or path.removesuffix(".hpp") + ".cpp" in PURE_FILES
    return room + (" (pure)" if pure and room not in PURE else ""), pure


def ranges(numbers):
    """1-3, 7"""
    said = []
    for number in sorted(numbers):
        if said and said[-1][1] == number - 1:
            said[-1][1] = number
        else:
            said.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in said)


def main():
    parser = argparse.ArgumentParser(description="The lines that tests ran, by rooms.")
    parser.add_argument("--least", type=float, default=90, help="per cent of the lines of a pure room")
    parser.add_argument("report", help="what gcovr --json wrote")
    arguments = parser.parse_args()
    with open(arguments.report) as file:
        files = json.load(file)["files"]

    rooms, missed, pure_rooms = defaultdict(lambda: [0, 0]), {}, set()
    for entry in files:
        lines = [line for line in entry["lines"] if not line.get("gcovr/noncode")]
        room, pure = room_of(entry["file"])
        if pure:
            pure_rooms.add(room)
        rooms[room][0] += sum(line["count"] > 0 for line in lines)
        rooms[room][1] += len(lines)
        unrun = [line["line_number"] for line in lines if not line["count"]]
        if unrun:
            missed[entry["file"]] = (len(unrun), len(lines), ranges(unrun))

    print("Not run:")
    for path, (count, total, where) in sorted(missed.items()):
        print(f"  {path} ({count} of {total}): {where if count < total else 'all'}")
    print("\nRun, by rooms (* pure):")
    short = []
    for room, (run, total) in sorted(rooms.items()):
        share = 100 * run / total if total else 100
        print(f"{'*' if room in pure_rooms else ' '} {share:5.1f}%  {run:5} of {total:5}  {room}")
        if room in pure_rooms and share < arguments.least:
            short.append(room)
    for room in short:
        print(f"coverage: {room}: below {arguments.least:g}%", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
