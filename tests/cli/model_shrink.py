# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a failing list of bursts shorter, for whoever wants to know what it takes."""


def shrink(bursts, play, tries):
    """`play(bursts)` gives None, or a failure with the number of its `burst`; a failure may need several tries to come
    about. Returns the shortest bursts found, as many as before the failing one, and their failure; None: it did not
    fail again."""
    def fails(candidate):
        for _ in range(tries):
            failure = play(candidate)
            if failure:
                return failure
        return None

    failure = fails(bursts)
    if not failure:
        return bursts, None
    bursts = bursts[:failure.burst + 1]
    chunk = max(1, sum(map(len, bursts)) // 2)
    while chunk:
        at = 0
        while at < sum(map(len, bursts)):
            candidate = without(bursts, at, chunk)
            found = fails(candidate)
            if found:
                bursts, failure = candidate, found
            else:
                at += chunk
        chunk //= 2
    return bursts, failure


def without(bursts, at, count):
    """The bursts without operations `at` to `at + count` of all."""
    kept, number = [], 0
    for burst in bursts:
        kept.append([op for i, op in enumerate(burst, number) if not at <= i < at + count])
        number += len(burst)
    return kept
