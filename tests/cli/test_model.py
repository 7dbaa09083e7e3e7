# SPDX-License-Identifier: GPL-2.0-or-later
"""Random trees: model_watch.py says what must hold. A seed that fails is played again, and shrunk, by scripts/model."""

import dataclasses
import os

import pytest

import model_operations as operations
import model_shrink
import model_watch
from fanotify_support import needs_root
from model_replay import Event, Replay

SEEDS = range(1, 17)
INSIDE_SEEDS = range(1, 9)
FANOTIFY_SEEDS = range(1, 7)


def fail(seed, failure):
    pytest.fail(f"seed {seed}, {failure}\nplay it again: scripts/model --shrink {seed}")


@pytest.mark.parametrize("seed", SEEDS)
def test_random_operations(inotifywait, seed):
    # The larger bursts, in several threads, are for scripts/model, which takes its time.
    plan = model_watch.Plan.of_seed(seed, bursts=6)
    plan = dataclasses.replace(plan, size=min(plan.size, 60), threads=1)
    failure = model_watch.run(inotifywait, model_watch.make_bursts(seed, plan), plan)
    if failure:
        fail(seed, failure)


@pytest.mark.parametrize("seed", INSIDE_SEEDS)
def test_random_operations_inside(inotifywait, seed):
    """Nothing comes from elsewhere: all that comes to be must be told, whatever hid it for a moment."""
    plan = dataclasses.replace(model_watch.Plan.of_seed(seed, bursts=6, inside=True), threads=1)
    failure = model_watch.run(inotifywait, model_watch.make_bursts(seed, plan), plan)
    if failure:
        fail(f"{seed} --inside", failure)


def test_no_operation_leads_out_of_the_two_trees(tmp_path, monkeypatch):
    """Whoever plays for hours as root keeps his machine."""
    for seed in range(20):
        room = tmp_path / f"{seed}"
        for tree in (b"t", b"o"):
            (room / tree.decode()).mkdir(parents=True)
        monkeypatch.chdir(room)
        picture = operations.picture(seed, exchanges=True)
        for _ in range(10):
            operations.perform(operations.burst(picture, 200), threads=1 + seed % 2)
        assert sorted(os.listdir(room)) == ["o", "t"]
    assert len(os.listdir(tmp_path)) == 20


@pytest.mark.skipif(os.geteuid() != 0, reason="fanotify says who did it, and its queue is without limit, for root only")
@pytest.mark.parametrize("backend", ["-F", "-S"])
@pytest.mark.parametrize("seed", FANOTIFY_SEEDS)
def test_random_operations_through_fanotify(inotifywait, seed, backend):
    plan = model_watch.Plan.of_seed(seed, bursts=4, backend=backend)
    plan = dataclasses.replace(plan, size=min(plan.size, 60), threads=1)
    failure = model_watch.run(inotifywait, model_watch.make_bursts(seed, plan), plan)
    if failure:
        fail(f"{seed} --backend={backend}", failure)


@pytest.mark.parametrize("seed", [101, 102])
def test_random_operations_while_the_queue_overflows(inotifywait, seed):
    plan = model_watch.Plan.of_seed(seed, bursts=2, overflow=True)
    failure = model_watch.run(inotifywait, model_watch.make_bursts(seed, plan), plan)
    if failure:
        fail(seed, failure)


@needs_root
@pytest.mark.plain_build
@pytest.mark.parametrize("backend", ["-F", "-S"])
def test_random_operations_while_the_queue_of_fanotify_overflows(inotifywait, backend):
    plan = model_watch.Plan.of_seed(101, bursts=2, overflow=True, backend=backend)
    failure = model_watch.run(inotifywait, model_watch.make_bursts(101, plan), plan)
    if failure:
        fail(f"101 --overflow --backend={backend}", failure)


# The model must be able to fail.

def say(*lines):
    replay = Replay(b"t")
    replay.take([Event(tuple(names.split(",")), "0", b"t/", name) for names, name in lines])
    return replay


@pytest.mark.parametrize("lines, there, fault", [
    ([("CREATE", b"a")], {b"t/a": False}, None),
    ([], {b"t/a": False}, "never reported"),
    ([("CREATE", b"a")], {}, "not there"),
    ([("CREATE", b"a"), ("CREATE", b"a")], {b"t/a": False}, "created where something is"),
    ([("CREATE", b"d/a")], {b"t/d": True, b"t/d/a": False}, "nobody spoke of"),
    ([("MOVED_TO,ISDIR", b"d")], {b"t/d": True, b"t/d/a": False}, None),
    ([("CREATE,ISDIR", b"d")], {b"t/d": True, b"t/d/a": False}, "never reported"),
    ([("CREATE", b"a")], {b"t/a": True}, "no directory"),
])
def test_the_reader_of_the_lines_notices(lines, there, fault):
    wrong = say(*lines).compare(there)
    assert bool(wrong) == bool(fault) and all(fault in line for line in wrong)


def test_the_same_seed_is_the_same_list():
    plan = model_watch.Plan.of_seed(7)
    assert model_watch.make_bursts(7, plan) == model_watch.make_bursts(7, plan)
    assert model_watch.make_bursts(7, plan) != model_watch.make_bursts(8, plan)
    assert operations.describe(model_watch.make_bursts(7, plan)[0])


def test_a_failing_list_is_made_shorter():
    """To what it takes: an entry, and its move in a later burst."""
    plan = model_watch.Plan.of_seed(7)
    bursts = model_watch.make_bursts(7, plan)
    bursts[2].insert(5, ("create", b"t/this"))
    bursts[4].insert(0, ("rename", b"t/this", b"t/that"))

    @dataclasses.dataclass
    class Failure:
        burst: int

    def play(candidate):
        done = [op for burst in candidate for op in burst]
        wanted = ("create", b"t/this"), ("rename", b"t/this", b"t/that")
        if all(op in done for op in wanted) and done.index(wanted[0]) < done.index(wanted[1]):
            return Failure(next(at for at, burst in enumerate(candidate) if wanted[1] in burst))
        return None

    shrunk, failure = model_shrink.shrink(bursts, play, tries=1)
    assert failure.burst == 4
    assert [burst for burst in shrunk if burst] == [[("create", b"t/this")], [("rename", b"t/this", b"t/that")]]
    assert model_shrink.shrink(bursts, lambda candidate: None, tries=3) == (bursts, None)
