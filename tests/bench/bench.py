# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures inotifywait and inotifywatch against Debian's, fswatch and the floor: see scripts/bench."""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from programs import Program, watches_left  # noqa: E402
from scenarios import Bench  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- figures: written by scripts/bench -->", "<!-- figures end -->"


def programs(build):
    """Those that are here, by what they do."""
    waiting = [Program("ours", build / "tools/inotifywait/inotifywait", "inotifywait"),
               Program("inotify-tools", Path("/usr/bin/inotifywait"), "inotifywait"),
               Program("fswatch", Path("/usr/bin/fswatch"), "fswatch"),
               Program("floor", build / "tests/bench/floor", "floor")]
    counting = [Program("ours", build / "tools/inotifywatch/inotifywatch", "inotifywatch"),
                Program("inotify-tools", Path("/usr/bin/inotifywatch"), "inotifywatch"),
                Program("floor", build / "tests/bench/floor", "floor")]
    return [p for p in waiting if p.executable.exists()], [p for p in counting if p.executable.exists()]


class Measurement:
    """Rows of figures: work, what of it, and a value for each program."""

    def __init__(self, rounds, only):
        self.rounds, self.only = rounds, only
        self.rows, self.notes = [], []

    def wants(self, work):
        return not self.only or any(word in work for word in self.only)

    def run(self, work, subjects, once, turns=1):
        """Runs every program in turn, round after round (A B C A B C), each with so many turns, and keeps the medians.
        fswatch, which is far slower than the others, runs in the first round only."""
        if not self.wants(work):
            return
        seen = {p.name: [] for p in subjects}
        for number in range(self.rounds * turns):
            for program in subjects:
                if program.kind == "fswatch" and number > 0:
                    continue
                try:
                    seen[program.name].append(once(program))
                except Exception as error:  # one that fails says so in the table and stops no other
                    self.notes.append(f"{work}: {program.name}: {error}")
                    print(f"bench: {work}: {program.name}: {error}", file=sys.stderr)
        figures = dict.fromkeys(figure for results in seen.values() for result in results for figure in result)
        for figure in figures:
            values = {name: middle([r[figure] for r in results]) for name, results in seen.items() if results}
            self.rows.append({"work": work, "figure": figure, "values": values})
            print(f"{work} | {figure} | " + ", ".join(f"{n} {shown(v)}" for n, v in values.items()), flush=True)


def middle(values):
    return values[len(values) // 2] if isinstance(values[0], str) else statistics.median(values)


def shown(value):
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(row, above, below):
    a, b = row["values"].get(above), row["values"].get(below)
    # Of shares and yes or no there is no sensible ratio.
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and b > 0 and "%" not in row["figure"]:
        return f"{a / b:.2f}"
    return ""


def table(rows):
    names = ["ours", "inotify-tools", "fswatch", "floor"]
    lines = ["| work | figure | " + " | ".join(names) + " | ours / floor | ours / inotify-tools |",
             "|---|---|" + "---:|" * (len(names) + 2)]
    for row in rows:
        cells = [shown(row["values"].get(name)) for name in names]
        cells += [ratio(row, "ours", "floor"), ratio(row, "ours", "inotify-tools")]
        lines.append(f"| {row['work']} | {row['figure']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return (f"{os.cpu_count()} processors ({model[0] if model else platform.machine()}), Linux {platform.release()}, "
            f"{date.today().isoformat()}; medians of the rounds, every program in turn")


def measure(bench, measurement, waiting, counting, scale):
    """scale: 1 for figures that mean something, less to see that it works."""
    def scaled(number):
        return max(int(number * scale), 10)

    left = watches_left()
    own = [p for p in waiting if p.name == "ours"]
    quick = [p for p in waiting if p.kind != "fswatch"]  # fswatch gathers for a second before it prints
    for shape, wanted, files in [("wide", 10_000, 3), ("wide", 50_000, 3), ("wide", 150_000, 3),
                                 ("deep", 150_000, 3), ("wide", 10_000, 30)]:
        directories = scaled(wanted)
        work = f"watch {directories:,} directories, {shape}, {files} files each"
        if directories > left - 100:
            measurement.notes.append(f"{work}: left out, only {left} watches are left (fs.inotify.max_user_watches)")
            continue
        if not measurement.wants(work):
            continue
        with bench.tree(shape, directories, files) as top:
            # The shorter the work, the more a slow moment of the machine weighs.
            turns = 10 if wanted <= 10_000 else 3
            measurement.run(work, waiting, lambda p: bench.set_up(p, top, directories), turns)

    million = scaled(1_000_000)
    for rate, to_pipe in [(0, False), (0, True), (200_000, True)]:
        work = (f"{million:,} events at {f'{rate:,} a second' if rate else 'full speed'} to a "
                f"{'pipe' if to_pipe else 'file'}")
        measurement.run(work, waiting, lambda p: bench.events(p, million, rate, to_pipe))
        if not shutil.which("strace"):
            measurement.notes.append("system calls an event: left out, strace is not installed")
        elif rate == 0:
            fewer = max(million // 5, 10)
            measurement.run(work, quick, lambda p: bench.events(p, fewer, rate, to_pipe, counting_calls=True))
    # Where the two processes come to run is luck, and decides more than the programs do: hence many short turns.
    measurement.run("one write to its line on a pipe", quick, lambda p: bench.latency(p, scaled(300)), turns=20)
    renamed = scaled(50_000)
    if renamed < left - 100:
        measurement.run(f"rename above {renamed:,} watches, then the next event", quick,
                        lambda p: bench.rename(p, renamed, scaled(50)))
    else:
        measurement.notes.append(f"rename above {renamed:,} watches: left out, only {left} watches are left")
    measurement.run("mkdir -p a/b/c/d && touch a/b/c/d/f, 2,000 times", waiting,
                    lambda p: bench.births(p, scaled(2000)))
    half = scaled(500_000)
    measurement.run(f"statistics of {half:,} events at 100,000 a second", counting,
                    lambda p: bench.statistics(p, half, 100_000))
    measurement.run(f"inotifysync: a change set of {million:,} paths", own, lambda p: bench.change_set(million))
    for wanted in (1_000, 100_000):
        directories = scaled(wanted)
        work = f"inotifysync: a batch of ten files out of {3 * directories:,}"
        if measurement.wants(work):
            with bench.tree("wide", directories, 3) as top:
                measurement.run(work, own, lambda p: bench.plan(top))


def write_readme(text):
    path = ROOT / "README.md"
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="1: full length; 0.01: see that it works")
    parser.add_argument("--only", action="append", help="only work whose name holds this; may be repeated")
    parser.add_argument("--without", action="append", default=[], help="leave this program out; may be repeated")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
    waiting, counting = ([p for p in kind if p.name not in options.without] for kind in programs(build))
    measurement = Measurement(options.rounds, options.only)
    started = time.monotonic()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="notify-bench-", dir=memory) as room:
        measure(Bench(build, room), measurement, waiting, counting, options.scale)
    about = machine()
    print(f"bench: {time.monotonic() - started:.0f} s in all", file=sys.stderr)
    text = f"{about}.\n\n{table(measurement.rows)}"
    if measurement.notes:
        text += "\n\n" + "\n".join(f"- {note}" for note in dict.fromkeys(measurement.notes))
    print("\n" + text)
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rows": measurement.rows, "notes": measurement.notes},
                                           indent=1) + "\n")
    if options.readme:
        write_readme(text)


if __name__ == "__main__":
    main()
