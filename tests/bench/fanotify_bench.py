# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures inotifywait -F and -S beside -I, and beside what merely reading the kernel's queue takes: see scripts/bench.

Needs root. Everything happens on a tmpfs of its own, where nobody else is at work."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from bench import machine, shown  # noqa: E402
from programs import Ending, idle, processor_time, status_of, wait_until  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MODES = ["-I", "-F", "-S"]
NAMES = "create,delete,move"


class Run(Ending):
    """A program that watches; ready when it says so."""

    def __init__(self, command, errors, output):
        self.started = time.monotonic()
        with open(errors, "wb") as said, open(output, "wb") as out:
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=out, stderr=said)
        self.pid = self.process.pid
        ready = wait_until(lambda: b"stablished" in errors.read_bytes() or b"ready" in errors.read_bytes()
                           or self.process.poll() is not None, 120, 0.001)
        if not ready or self.process.poll() is not None:
            raise RuntimeError(f"{command[0]}: {errors.read_text().strip()}")
        self.ready = time.monotonic()


class FanotifyBench:
    def __init__(self, build, top, rounds):
        self.program = build / "tools/inotifywait/inotifywait"
        self.load = build / "tests/bench/load"
        self.deeds = build / "tests/bench/fanotify_load"
        self.top, self.rounds, self.rows = top, rounds, []
        self.output, self.errors = top / "output", top / "errors"

    @contextmanager
    def place(self):
        where = self.top / "place"
        where.mkdir()
        try:
            yield where
        finally:
            subprocess.run(["rm", "-rf", where], check=True)

    def row(self, work, figure, values):
        self.rows.append({"work": work, "figure": figure, "values": values})
        print(f"{work} | {figure} | " + ", ".join(f"{name} {shown(value)}" for name, value in values.items()), flush=True)

    def measure(self, work, once, subjects):
        """once(subject) -> {figure: value}; the subjects in turn, round after round; medians."""
        seen = {name: [] for name in subjects}
        for _ in range(self.rounds):
            for name in subjects:
                seen[name].append(once(name))
        for figure in seen[subjects[0]][0]:
            self.row(work, figure, {name: statistics.median(r[figure] for r in results)
                                    for name, results in seen.items() if figure in results[0]})

    def watch(self, subject, where, places, events):
        """The command: the program in one of its modes, or ("queue -I") the kernel's queue alone."""
        if subject.startswith("queue"):
            return [self.deeds, "queue", subject.split()[1], where, places]
        asked = ["-e", events] if events else []
        return [self.program, "-m", subject, *(["-r"] if places > 1 else []), *asked, where if places > 1 else where / "part0"]

    def processor_time_of(self, subject, load, places, count, events):
        """Microseconds an event."""
        with self.place() as where:
            for i in range(places):
                (where / f"part{i}").mkdir()
            with Run(self.watch(subject, where, places, events), self.errors, self.output) as run:
                before, began = processor_time(run.pid), time.monotonic()
                subprocess.run([str(word) for word in load(where)], check=True, stdout=subprocess.DEVNULL)
                rest = idle(run.pid, 0.12)
                wait_until(rest, 60)
                used = processor_time(run.pid) - before
        lines = self.output.read_bytes().count(b"\n")
        figures = {"CPU us an event": used * 1e6 / count}
        return figures if subject.startswith("queue") else figures | {
            "lines an event": lines / count, "events a second": count / (rest.since - began)}

    def events(self, count):
        kinds = [("files made and removed", "entries", 1, 2), ("files made and removed in 1,000 directories", "entries", 1000, 2),
                 ("directories made and removed", "directories", 1, 2), ("renames of a file", "renames", 1, 2)]
        for work, kind, places, each in kinds:
            deeds = max(count // each, 10)
            self.measure(f"{work}, {each * deeds:,} events",
                         lambda subject: self.processor_time_of(
                             subject, lambda where: [self.deeds, kind, where, places, deeds], places, each * deeds, NAMES),
                         [*MODES, *(f"queue {mode}" for mode in MODES)])
        self.measure(f"opens and closes, {count:,} events",
                     lambda mode: self.processor_time_of(
                         mode, lambda where: [self.load, "events", where / "part0", count, 0], 1, count, "open,close"), MODES)

    def ready(self, directories):
        with self.place() as where:
            tree = where / "tree"
            subprocess.run([self.load, "tree", "wide", str(directories), "3", tree], check=True, stdout=subprocess.DEVNULL)

            def once(mode):
                with Run([self.program, "-m", mode, "-r", "-e", NAMES, tree], self.errors, self.output) as run:
                    return {"ready after ms": (run.ready - run.started) * 1e3, "memory MB": status_of(run.pid, "VmRSS") / 1e6}
            self.measure(f"watch {directories:,} directories", once, MODES)

    def rename(self, directories, count):
        def once(mode):
            with self.place() as where:
                subprocess.run([self.load, "tree", "wide", str(directories), "0", where / "from"], check=True,
                               stdout=subprocess.DEVNULL)
                reading, writing = os.pipe()
                process = subprocess.Popen([self.program, "-m", mode, "-r", "-e", "create,move", where], stdout=writing,
                                           stderr=open(self.errors, "wb"), stdin=subprocess.DEVNULL)
                os.close(writing)
                try:
                    wait_until(lambda: b"stablished" in self.errors.read_bytes(), 120, 0.001)
                    said = subprocess.run([self.load, "rename", where / "from", where / "to", "part0/directory0", str(count)],
                                          stdin=reading, capture_output=True, check=True, timeout=120).stdout.split()
                finally:
                    process.terminate()
                    process.wait()
                    os.close(reading)
                return {"us to the next event": float(said[0]), "right %": 100 * int(said[2]) / count}
        self.measure(f"rename above {directories:,} directories, then the next event", once, MODES)


def table(rows):
    names = [*MODES, *(f"queue {mode}" for mode in MODES)]
    lines = ["| work | figure | " + " | ".join(names) + " | -F / -I | -S / -I |", "|---|---|" + "---:|" * (len(names) + 2)]
    for row in rows:
        values = row["values"]
        cells = [shown(values.get(name)) for name in names]
        cells += [f"{values[mode] / values['-I']:.2f}" if values["-I"] else "" for mode in ("-F", "-S")]
        lines.append(f"| {row['work']} | {row['figure']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@contextmanager
def own_filesystem():
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as room:
        if subprocess.run(["mount", "-t", "tmpfs", "none", room], check=False).returncode:
            sys.exit("bench fanotify: needs root, to watch and to mount a filesystem")
        try:
            yield Path(room)
        finally:
            subprocess.run(["umount", "-l", room], check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="1: full length; 0.01: see that it works")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()

    def scaled(number):
        return max(int(number * options.scale), 20)

    with own_filesystem() as top:
        bench = FanotifyBench(build, top, options.rounds)
        bench.events(scaled(400_000))
        bench.ready(scaled(150_000))
        bench.rename(scaled(50_000), scaled(50))
    print(f"\n{machine()}.\n\n{table(bench.rows)}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": bench.rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
