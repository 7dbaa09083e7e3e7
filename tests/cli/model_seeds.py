# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays one seed after the other: what the players of random operations have in common."""


def add_options(parser, count, tries):
    parser.add_argument("seeds", nargs="*", type=int, help="seeds to play; without any, --from and --count tell")
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--shrink", action="store_true", help="make a failing list of operations shorter")
    parser.add_argument("--tries", type=int, default=tries, help="how often a failure is looked for while shrinking")
    parser.add_argument("--keep-going", action="store_true")


def play(arguments, run):
    """run(seed) plays one, prints what failed, and gives how many operations it had, and whether it failed. Returns the
    exit status."""
    failed = done = 0
    for seed in arguments.seeds or range(arguments.first, arguments.first + arguments.count):
        try:
            operations, has_failed = run(seed)
        except KeyboardInterrupt:
            break
        done += operations
        failed += has_failed
        if has_failed and not arguments.keep_going:
            break
    print(f"{done} operations, {failed} seeds failed")
    return 1 if failed else 0
