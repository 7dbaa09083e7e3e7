# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured: each function makes its files, runs one program once, and returns its figures."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from programs import CallCounter, Reader, Run, idle, processor_time, read_and_write_calls, status_of, wait_until

SENTINEL = b"the-last-one"
LONGEST_GATHERED = 1.5  # seconds; fswatch gathers for less than that before it prints


def remove(top):
    subprocess.run(["rm", "-rf", str(top)], check=True)


def mean_name_length(top):
    """Of the directories that `load` makes, in bytes: those of one part are enough."""
    lengths, stack = [], [os.path.join(top, "part0")]
    while stack:
        path = stack.pop()
        lengths.append(len(os.path.basename(path)))
        with os.scandir(path) as listing:
            stack += [entry.path for entry in listing if entry.is_dir(follow_symlinks=False)]
    return sum(lengths) / len(lengths)


class Bench:
    def __init__(self, build, room):
        self.load = Path(build) / "tests/bench/load"
        self.room = Path(room)
        self.base_memory = {}

    def _load(self, *arguments, **options):
        command = [str(self.load), *(str(a) for a in arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout.split()

    @contextmanager
    def tree(self, shape, directories, files):
        """A tree of its own; yields its path."""
        top = self.room / f"tree-{shape}-{directories}"
        self._load("tree", shape, directories, files, top)
        try:
            yield top
        finally:
            remove(top)

    # Set-up ---------------------------------------------------------------------------------------------------------

    def set_up(self, program, top, directories):
        if program.name not in self.base_memory:
            self.base_memory[program.name] = self._memory_of_one_watch(program)
        with Run(program, program.command(top, True, ""), subprocess.DEVNULL, directories, self.room) as run:
            # What is put off until just after the start counts, too.
            wait_until(idle(run.pid, 0.1), 60, 0.02)
            cpu = processor_time(run.pid)
            grown = status_of(run.pid, "RssAnon") - self.base_memory[program.name]
            return {"wall s": run.ready - run.started, "CPU s": cpu,
                    "bytes a watch, names aside": max(grown, 0) / directories - mean_name_length(top),
                    "peak MB": status_of(run.pid, "VmHWM") / 1e6}

    def _memory_of_one_watch(self, program):
        single = self.room / "single"
        single.mkdir(exist_ok=True)
        with Run(program, program.command(single, True, ""), subprocess.DEVNULL, 1, self.room) as run:
            return status_of(run.pid, "RssAnon")

    # Events ---------------------------------------------------------------------------------------------------------

    def events(self, program, count, rate, to_pipe, counting_calls=False):
        """Opens and closes in one directory, as fast as `rate`; everything is printed. Of a run in which system calls
        are counted, their number is all that is returned."""
        where = self.room / "events"
        where.mkdir()
        output = self.room / "output"
        reader = Reader() if to_pipe else None
        try:
            with open(output, "wb") as file:
                stdout = reader.write_end if reader else file
                with Run(program, program.command(where, False, ""), stdout, 1, self.room) as run:
                    if reader:
                        reader.started()
                    counter = CallCounter(run.pid, self.room) if counting_calls else None
                    lines, figures = self._events_of(program, run, where, count, rate, reader, output)
                    return {"system calls an event": counter.end() / max(lines, 1)} if counter else figures
        finally:
            if reader:
                reader.close()
            remove(where)
            output.unlink(missing_ok=True)

    def _events_of(self, program, run, where, count, rate, reader, output):
        cpu, calls, began = processor_time(run.pid), read_and_write_calls(run.pid), time.monotonic()
        maker = subprocess.Popen([str(self.load), "events", str(where), str(count), str(rate)],
                                 stdout=subprocess.DEVNULL)
        touched, came = [0.0], [0, 0.0]

        def touch_sentinel():
            """Again and again, once the maker is done: the queue may have been full."""
            if maker.poll() is not None and time.monotonic() - touched[0] > 0.2:
                touched[0] = time.monotonic()
                (where / f"{SENTINEL.decode()}-{touched[0]}").touch()

        def last_seen():
            if reader:
                return SENTINEL in reader.take()
            with open(output, "rb") as file:
                file.seek(max(os.path.getsize(output) - 500, 0))
                return SENTINEL in file.read()

        def silent():
            """The maker is done, and nothing was printed for three seconds."""
            amount = reader.lines if reader else os.path.getsize(output)
            if amount != came[0] or maker.poll() is None:
                came[:] = amount, time.monotonic()
            return time.monotonic() - came[1] > 3

        def done():
            touch_sentinel()
            return last_seen() or silent()

        # fswatch 1.14 prints less than a hundred lines a second, so it is not waited for.
        wait_until(done, 5 if program.kind == "fswatch" else 180, 0 if reader else 0.01)
        took = time.monotonic() - began
        maker.wait()
        cpu, calls = processor_time(run.pid) - cpu, read_and_write_calls(run.pid) - calls
        lines = reader.lines if reader else output.read_bytes().count(b"\n")
        # The files are made first: three events each.
        delivered = min(lines / (count + 300), 1.0)
        return lines, {
            "CPU s a million": cpu * 1e6 / max(lines, 1), "delivered %": 100 * delivered,
            "reads and writes an event": calls / max(lines, 1), "events a second": lines / took,
            "loss is said": "-" if delivered > 0.9999 else "yes" if run.said_overflow() else "no"}

    # One at a time --------------------------------------------------------------------------------------------------

    def _measured(self, program, command, directories, *load):
        reading, writing = os.pipe()
        try:
            with Run(program, command, writing, directories, self.room):
                os.close(writing)
                writing = -1
                return [float(x) for x in self._load(*load, stdin=reading, timeout=300)]
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)

    def latency(self, program, count):
        where = self.room / "latency"
        where.mkdir()
        try:
            command = program.command(where, False, "modify")
            median, p99 = self._measured(program, command, 1, "latency", where / "file", count)
        finally:
            remove(where)
        return {"median us": median, "p99 us": p99}

    def rename(self, program, directories, count):
        where = self.room / "rename"
        where.mkdir()
        try:
            self._load("tree", "wide", directories, 0, where / "from")
            median, p99, right = self._measured(
                program, program.command(where, True, "create"), directories + 1,
                "rename", where / "from", where / "to", "part0/directory0", count)
        finally:
            remove(where)
        return {"median us": median, "p99 us": p99, "right %": 100 * right / count}

    def births(self, program, count):
        """mkdir -p a/b/c/d && touch a/b/c/d/f: how many of the five entries are reported, each once."""
        where = self.room / "births"
        where.mkdir()
        output = self.room / "output"
        try:
            with open(output, "wb") as file:
                with Run(program, program.command(where, True, "create"), file, 1, self.room) as run:
                    cpu = processor_time(run.pid)
                    self._load("births", where, count)
                    wait_until(idle(run.pid, LONGEST_GATHERED), 60, 0.05)
                    cpu = processor_time(run.pid) - cpu
            lines = output.read_bytes().splitlines()
        finally:
            remove(where)
            output.unlink(missing_ok=True)
        return {"reported %": 100 * len(set(lines)) / (5 * count), "twice": len(lines) - len(set(lines)),
                "CPU ms an entry": cpu * 1e3 / (5 * count)}

    def statistics(self, program, count, rate):
        where = self.room / "statistics"
        where.mkdir()
        try:
            with Run(program, program.counting_command(where), subprocess.PIPE, 1, self.room) as run:
                cpu = processor_time(run.pid)
                self._load("events", where, count, rate)
                wait_until(idle(run.pid, LONGEST_GATHERED), 60, 0.05)
                cpu = processor_time(run.pid) - cpu
                run.process.send_signal(signal.SIGINT)
                table = run.process.communicate(timeout=20)[0].decode()
        finally:
            remove(where)
        numbers = [int(word) for word in table.split() if word.isdigit()]
        return {"CPU s a million": cpu * 1e6 / count, "counted %": 100 * min(max(numbers, default=0) / count, 1.0)}

    # inotifysync's own work, without rsync -------------------------------------------------------------------------

    def _changes(self, *arguments):
        program = self.load.with_name("changes")
        return [float(x) for x in subprocess.run([program, *map(str, arguments)], check=True, capture_output=True,
                                                 text=True).stdout.split()]

    def change_set(self, paths):
        seconds, megabytes = self._changes("build", paths)
        return {"CPU s": seconds, "MB": megabytes}

    def plan(self, top):
        return {"CPU us": self._changes("plan", top)[0]}
