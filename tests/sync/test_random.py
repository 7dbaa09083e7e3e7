# SPDX-License-Identifier: GPL-2.0-or-later
"""Random trees: model_sync.py says what is done. More seeds, and troubles in every burst: scripts/model sync."""

import pytest

import model_sync


@pytest.mark.parametrize("seed", [3, 7])
def test_random_operations(seed):
    failure = model_sync.run(*model_sync.plan(seed, bursts=5, size=60, troubles=False))
    if failure:
        pytest.fail(f"seed {seed}, {failure}\nplay it again: scripts/model sync --no-troubles --shrink {seed}")


@pytest.mark.parametrize("trouble", model_sync.TROUBLES)
def test_random_operations_in_trouble(trouble):
    """With a full pass every few seconds, all is right in the end; that it is without, scripts/model sync looks at."""
    bursts, manners = model_sync.plan(11, bursts=2, size=60, troubles=False)
    manners[0] = model_sync.Manner(trouble)
    failure = model_sync.run(bursts, manners, options=["--audit-interval", "3s"])
    if failure:
        pytest.fail(str(failure))
