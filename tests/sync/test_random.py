# SPDX-License-Identifier: GPL-2.0-or-later
"""Random trees: model_sync.py says what is done. More seeds, and troubles in every burst: scripts/model sync."""

import pytest

import model_sync
from sync_support import INOTIFYSYNC


@pytest.mark.parametrize("seed", [3, 7])
def test_random_operations(seed):
    if not INOTIFYSYNC.exists():
        pytest.skip(f"{INOTIFYSYNC}: build it first, or say in NOTIFY_BUILD where it is")
    wrong = model_sync.run(seed, bursts=5, size=60, troubles=False)
    if wrong:
        pytest.fail(f"seed {seed}, {wrong}\nplay it again: scripts/model sync --no-troubles {seed}")
