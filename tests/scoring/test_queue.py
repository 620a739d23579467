"""Who is scored next: plain data, no threads."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.ports import ScoringJob
from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.queue import Queue, Work

LOOP = asyncio.new_event_loop()
LOOP.close()


def _work(
    name: str, entered: float, costs: list[int], *, index: str = "i", weight: float = 1.0
) -> tuple[Work, list[Prepared]]:
    job = ScoringJob("q", tuple(map(str, costs)), 512, 1e9, index, weight)
    count = len(costs)
    done: asyncio.Future[None] = asyncio.Future(loop=LOOP)
    work = Work(job, entered, sum(costs), [None] * count, [False] * count, LOOP, done, count, 0, 0.0, sum(costs))
    return work, [Prepared((name, place), cost, f"{name}{place}".encode()) for place, cost in enumerate(costs)]


def _queued(queue: Queue, *works: tuple[Work, list[Prepared]]) -> None:
    for work, pairs in works:
        queue.add(work)
        for place, prepared in enumerate(pairs):
            queue.want(work, place, prepared)


def _taken(queue: Queue, budget: int) -> list[object]:
    return [entry.prepared.item for entry in queue.take(budget, 100.0)]


@given(st.lists(st.integers(1, 600), max_size=30), st.integers(1, 2000))
def test_never_empty_never_over_budget(costs: list[int], budget: int) -> None:
    """A queue that is not empty gives a batch; more than one pair only within the budget; all come out, in order."""
    queue = Queue()
    _queued(queue, _work("a", 0, costs))
    places = []
    while batch := queue.take(budget, 100.0):
        assert len(batch) == 1 or sum(entry.prepared.cost for entry in batch) <= budget
        places += [entry.prepared.item for entry in batch]
    assert places == [("a", place) for place in range(len(costs))]
    assert len(queue) == 0


def test_the_smallest_goes_first() -> None:
    """A short search passes long ones that came before, also one that has little left; then that one is finished."""
    queue = Queue()
    _queued(queue, _work("long", 0, [50] * 4), _work("longer", 0, [50] * 5))
    assert _taken(queue, 50) == [("long", 0)]
    _queued(queue, _work("short", 1, [20]))
    assert _taken(queue, 70) == [("short", 0), ("long", 1)]
    assert _taken(queue, 100) == [("long", 2), ("long", 3)]


def test_waiting_makes_up_for_work() -> None:
    """A long search that has waited a hundred times its work is not passed any more."""
    queue = Queue()
    _queued(queue, _work("old", 0, [100] * 2), _work("fresh", 199, [10]))
    assert _taken(queue, 10) == [("old", 0)]
    queue = Queue()
    _queued(queue, _work("old", 0, [100] * 2), _work("fresh", 180, [10]))
    assert _taken(queue, 10) == [("fresh", 0)]


def test_indices_share_by_weight() -> None:
    """Three to one, while both have work; what is not used by one is the other's."""
    queue = Queue()
    heavy, light = _work("h", 0, [10] * 40, index="heavy", weight=3), _work("l", 0, [10] * 40, index="light")
    _queued(queue, heavy, light)
    served = [queue.take(10, 100.0)[0].prepared.item for _ in range(40)]
    assert sum(item[0] == "h" for item in served) in {29, 30, 31}  # type: ignore[index]
    assert len([queue.take(10, 100.0) for _ in range(40)]) == 40
    assert len(queue) == 0


def test_an_index_that_comes_late_gets_its_share_not_the_past() -> None:
    """Idle time is not saved up."""
    queue = Queue()
    _queued(queue, _work("early", 0, [10] * 30, index="early"))
    for _ in range(10):
        queue.take(10, 100.0)
    _queued(queue, _work("late", 1, [10] * 30, index="late"))
    served = [queue.take(10, 100.0)[0].prepared.item for _ in range(10)]
    assert sum(item[0] == "late" for item in served) in {5, 6}  # type: ignore[index]


def test_equal_pairs_are_one_entry() -> None:
    """Shared while waiting and while being scored; dropped when nobody is left who wants it."""
    queue = Queue()
    (one, pairs), (other, _) = _work("same", 0, [10, 10]), _work("other", 0, [10, 10])
    _queued(queue, (one, pairs), (other, pairs))
    assert len(queue) == 2
    queue.remove(one)
    assert len(queue) == 2
    (entry,) = queue.take(10, 100.0)
    late, _ = _work("late", 0, [10])
    queue.add(late)
    assert not queue.want(late, 0, pairs[0])
    assert [(work, place) for work, place in queue.settle(entry)] == [(other, 0), (late, 0)]
    queue.remove(other)
    assert len(queue) == 0
    queue.remove(other)
    queue.remove(late)
    assert queue.works() == []


def test_what_goes_first_is_known() -> None:
    """Shorter work of the own index in full, longer not; another index up to its share."""
    queue = Queue()
    job = ScoringJob("q", (), 512, 1e9, "i", 1.0)
    assert queue.ahead(job, 100, 0, 100.0) == 0
    _queued(queue, _work("short", 0, [10] * 2), _work("long", 0, [50] * 4))
    assert queue.ahead(job, 100, 0, 100.0) == 20
    assert queue.ahead(job, 500, 0, 100.0) == 220
    _queued(queue, _work("x", 0, [50] * 4, index="other", weight=0.5))
    assert queue.ahead(job, 500, 0, 100.0) == pytest.approx(330)
