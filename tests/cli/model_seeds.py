# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays one seed after the other, or several at once: what the players of random operations have in common."""

import multiprocessing
import signal
import sys
import time
import traceback

PROGRESS = 60  # seconds between two lines about it, on standard error


def add_options(parser, count, tries):
    parser.add_argument("seeds", nargs="*", type=int, help="seeds to play; without any, --from and --count tell")
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--shrink", action="store_true", help="make a failing list of operations shorter")
    parser.add_argument("--tries", type=int, default=tries, help="how often a failure is looked for while shrinking")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="how many seeds are played at once")


def play(arguments, run):
    """run(seed) plays one, prints what failed, and gives how many operations it had, and whether it failed. Returns the
    exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    seeds = arguments.seeds or range(arguments.first, arguments.first + arguments.count)
    playing = _at_once(seeds, run, arguments.jobs) if arguments.jobs > 1 else map(run, seeds)
    failed = done = 0
    told = time.monotonic()
    try:
        for operations, has_failed in playing:
            done += operations
            failed += has_failed
            if has_failed and not arguments.keep_going:
                break
            if time.monotonic() - told > PROGRESS:
                told = time.monotonic()
                print(f"{done} operations so far, {failed} seeds failed", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        pass
    print(f"{done} operations, {failed} seeds failed")
    return 1 if failed else 0


def _at_once(seeds, run, jobs):
    """In processes, for each seed changes the working directory. One that has begun is played to its end."""
    fork = multiprocessing.get_context("fork")
    left, results = fork.Queue(), fork.Queue()
    enough = fork.Event()
    for seed in [*seeds, *[None] * jobs]:
        left.put(seed)
    workers = [fork.Process(target=_work, args=(left, results, enough, run)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    try:
        for _ in seeds:
            yield results.get()
    finally:
        enough.set()
        for worker in workers:
            worker.join()


def _work(left, results, enough, run):
    while not enough.is_set() and (seed := left.get()) is not None:
        try:
            results.put(run(seed))
        except KeyboardInterrupt:
            break
        except Exception:
            traceback.print_exc()
            results.put((0, True))
