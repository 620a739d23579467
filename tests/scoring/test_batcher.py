"""Many searches, one model: nobody waits forever, nobody's work is done for nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from es_rerank.core.ports import ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.scoring.backend import Pair, Prepared
from es_rerank.scoring.batcher import Batcher
from es_rerank.scoring.texts import Texts
from es_rerank.scoring.warmup import Rate
from tests.fakes import FaultyBackend, ShufflingBackend


class Observed:
    """What an observer heard."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.queue: list[int] = []
        self.looked: list[tuple[int, int, int]] = []

    def waiting(self, pairs: int) -> None:
        self.queue.append(pairs)

    def batch(self, pairs: int, fill: float) -> None:
        self.batches.append(pairs)

    def looked_up(self, hits: int, joined: int, misses: int) -> None:
        self.looked += [(hits, joined, misses)]


class Gated(FaultyBackend):
    """Waits before its first batch, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Pair] = []

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        if not self.seen:
            self.fault = "stalls"
        self.seen += pairs
        logits = super().score(pairs, max_length)
        self.fault = ""
        return logits


@asynccontextmanager
async def batching(backend: ShufflingBackend, **limits: int) -> AsyncIterator[tuple[Batcher, Observed]]:
    observed = Observed()
    batcher = Batcher(**({"max_batch_tokens": 10_000, "max_queued_pairs": 100} | limits), observer=observed)
    batcher.attach([Texts(backend)], Rate(1e6, 1e9))
    try:
        yield batcher, observed
    finally:
        if isinstance(backend, FaultyBackend):
            backend.released.set()
        batcher.close()


def job(*passages: str, seconds: float = 20, max_length: int = 512) -> ScoringJob:
    return ScoringJob("q", passages, max_length, asyncio.get_running_loop().time() + seconds)


def logit(passage: str) -> float:
    return ShufflingBackend().score([("q", passage)], 512)[0]


async def until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        await asyncio.sleep(0.002)


async def test_logits_come_back_in_order() -> None:
    """Several jobs at once, each with its own."""
    async with batching(ShufflingBackend(), max_batch_tokens=20) as (batcher, observed):
        passages = [[f"{number} {place}" for place in range(5)] for number in range(6)]
        found = await asyncio.gather(*(batcher.score(job(*texts)) for texts in passages))
        for texts, scored in zip(passages, found, strict=True):
            assert list(scored.logits) == [logit(text) for text in texts]
            assert scored.queued_s >= 0
        assert sum(observed.batches) == 30
        assert repr(batcher) == "<Batcher over shuffling [0 pairs queued]>"


async def test_jobs_share_batches() -> None:
    """What arrives while the model is busy goes into one batch, unless it is cut at another length."""
    backend = Gated()
    async with batching(backend) as (batcher, observed):
        tasks = [asyncio.ensure_future(batcher.score(job("first")))]
        await until(lambda: backend.seen)
        asked = [job("a", "b"), job("c", "d"), job("a", "b", max_length=64)]
        tasks += [asyncio.ensure_future(batcher.score(one)) for one in asked]
        await until(lambda: len(batcher._queue) == 6)
        backend.released.set()
        await asyncio.gather(*tasks)
        assert observed.batches == [1, 6]


async def test_equal_pairs_in_flight_are_scored_once() -> None:
    """Waiting or being scored for somebody else; also when the one who asked first has gone."""
    backend = Gated()
    async with batching(backend) as (batcher, observed):
        first = asyncio.ensure_future(batcher.score(job("same")))
        await until(lambda: backend.seen)
        gone = asyncio.ensure_future(batcher.score(job("a", "b")))
        await until(lambda: len(batcher._queue) == 2)
        tasks = [asyncio.ensure_future(batcher.score(job("b", "same", "b"))) for _ in range(3)]
        await until(lambda: len(observed.looked) == 5)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        backend.released.set()
        for scored in await asyncio.gather(*tasks):
            assert scored.logits == (logit("b"), logit("same"), logit("b"))
        await first
        assert [passage for _, passage in backend.seen] == ["same", "b"]
        assert observed.looked[2:] == [(0, 3, 0)] * 3


async def test_a_search_that_comes_again_costs_no_model_time() -> None:
    """Its logits are the very same; the cache is bounded; a NaN is not remembered."""
    backend = FaultyBackend()
    async with batching(backend, cached_scores=3) as (batcher, observed):
        once = await batcher.score(job("a", "b"))
        calls = backend.calls
        assert (await batcher.score(job("a", "b"))).logits == once.logits
        assert (backend.calls, observed.looked[-1]) == (calls, (2, 0, 0))
        await batcher.score(job("c", "d"))
        assert len(batcher._cache) == 3
        backend.fault = "nan"
        assert math.isnan((await batcher.score(job("e"))).logits[0] or 0)
        backend.fault = ""
        assert (await batcher.score(job("e"))).logits == (logit("e"),)


async def test_what_cannot_be_served_in_time_is_refused_at_once() -> None:
    """The work ahead takes longer than the budget; with a longer budget the same search is taken."""
    backend = Gated()
    async with batching(backend, max_queued_pairs=10_000) as (batcher, _):
        first = asyncio.ensure_future(batcher.score(job("first")))
        await until(lambda: backend.seen)
        batcher._pace.tokens_per_s = 100.0
        ahead = asyncio.ensure_future(batcher.score(job(*(str(place) for place in range(50)))))
        await until(lambda: len(batcher._queue) == 50)
        long = [f"x{place}" for place in range(60)]
        with pytest.raises(ScorerBusy, match=r"about \d\.\d s of work goes first"):
            await batcher.score(job(*long, seconds=1))
        later = asyncio.ensure_future(batcher.score(job(*long, seconds=60)))
        await until(lambda: len(batcher._queue) == 110)
        backend.released.set()
        await asyncio.gather(first, ahead, later)


async def test_one_bad_pair_costs_the_others_nothing() -> None:
    """A NaN stays with the pair that gives it."""

    class Picky(ShufflingBackend):
        def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
            found = super().score(pairs, max_length)
            return [math.nan] * len(pairs) if ("q", "bad") in pairs else found

    async with batching(Picky()) as (batcher, _):
        texts = [*"abcde", "bad", *"fgh"]
        found = (await batcher.score(job(*texts))).logits
        assert math.isnan(found[5] or 0)
        assert [*found[:5], *found[6:]] == [logit(text) for text in texts if text != "bad"]


async def test_replicas_share_the_queue() -> None:
    """Two threads, one queue; every pair is scored once."""
    backends = [Texts(Gated()), Texts(FaultyBackend())]
    observed = Observed()
    batcher = Batcher(max_batch_tokens=20, max_queued_pairs=1000, observer=observed)
    batcher.attach(backends, Rate(1e6, 1e9))
    texts = [str(place) for place in range(40)]
    task = asyncio.ensure_future(batcher.score(job(*texts)))
    await until(lambda: sum(observed.batches) >= 30)
    backends[0]._model.released.set()  # type: ignore[attr-defined]
    assert (await task).logits == tuple(logit(text) for text in texts)
    assert sum(observed.batches) == 40
    batcher.close()


async def test_a_tokenizer_that_fails_answers_its_waiter() -> None:
    """And only that one."""

    class Choking(Texts):
        def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
            if "choke" in passages:
                raise ValueError("cannot read this")
            return super().prepare(query, passages, max_length)

    batcher = Batcher(max_batch_tokens=20, max_queued_pairs=1000, observer=Observed())
    batcher.attach([Choking(ShufflingBackend())], Rate(1e6, 1e9))
    with pytest.raises(ScorerError, match="cannot read this"):
        await batcher.score(job("a", "choke"))
    assert (await batcher.score(job("a"))).logits == (logit("a"),)
    batcher.close()


async def test_a_deadline_gives_what_is_ready() -> None:
    """In first-stage order; the rest is dropped and costs nothing more."""
    backend = Gated()
    async with batching(backend, max_batch_tokens=6) as (batcher, _):
        backend.seen.append(("q", "no gate for the first"))
        half = asyncio.ensure_future(batcher.score(job("a", "b", "c", "d", seconds=0.2)))
        await until(lambda: len(backend.seen) > 1)
        backend.fault = "stalls"
        scored = await half
        ready = [value is not None for value in scored.logits]
        assert ready == sorted(ready, reverse=True)
        backend.released.set()
        assert len(batcher._queue) == 0


async def test_a_caller_who_has_gone_costs_no_model_time() -> None:
    """Cancelled while waiting: its pairs are never scored."""
    backend = Gated()
    async with batching(backend) as (batcher, observed):
        first = asyncio.ensure_future(batcher.score(job("first")))
        await until(lambda: backend.seen)
        gone = asyncio.ensure_future(batcher.score(job("gone")))
        await until(lambda: len(batcher._queue) == 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert observed.queue[-2:] == [1, 0]
        backend.released.set()
        await first
        await batcher.score(job("last"))
        assert [passage for _, passage in backend.seen] == ["first", "last"]


async def test_a_failed_batch_answers_every_waiter() -> None:
    """And the next one is scored again."""
    backend = FaultyBackend()
    async with batching(backend) as (batcher, _):
        for fault, words in (("raises", "the model has died"), ("short", "1 scores for 2 pairs")):
            backend.fault = fault
            found = await asyncio.gather(*(batcher.score(job("a", "b")) for _ in range(2)), return_exceptions=True)
            assert all(isinstance(entry, ScorerError) for entry in found)
            assert words in str(found[0]) or "scores for" in str(found[0])
        backend.fault = ""
        assert (await batcher.score(job("a"))).logits == (logit("a"),)


async def test_memory_halves_the_batch() -> None:
    """Until it fits."""
    backend = FaultyBackend()
    backend.fault = "memory"
    async with batching(backend) as (batcher, _):
        texts = [str(place) for place in range(9)]
        assert (await batcher.score(job(*texts))).logits == tuple(logit(text) for text in texts)


async def test_a_full_queue_refuses_at_once() -> None:
    """A single large search is still taken when nothing waits."""
    backend = Gated()
    async with batching(backend, max_queued_pairs=3) as (batcher, _):
        tasks = [asyncio.ensure_future(batcher.score(job("first")))]
        await until(lambda: backend.seen)
        tasks.append(asyncio.ensure_future(batcher.score(job("a", "b", "c", "d"))))
        await until(lambda: len(batcher._queue) == 4)
        with pytest.raises(ScorerBusy):
            await batcher.score(job("e"))
        backend.released.set()
        await asyncio.gather(*tasks)


async def test_before_attach_and_after_close() -> None:
    """Warming up; shutting down."""
    batcher = Batcher(max_batch_tokens=10, max_queued_pairs=10, observer=Observed())
    with pytest.raises(ScorerWarmingUp):
        await batcher.score(job("a"))
    assert "nothing yet" in repr(batcher)
    batcher.close()
    backend = Gated()
    async with batching(backend) as (running, _):
        tasks = [asyncio.ensure_future(running.score(job("first")))]
        await until(lambda: backend.seen)
        tasks.append(asyncio.ensure_future(running.score(job("late"))))
        await until(lambda: len(running._queue) == 1)
        closing = asyncio.get_running_loop().run_in_executor(None, running.close)
        await until(lambda: running._stopping)
        backend.released.set()
        await closing
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[1], ScorerError)
        with pytest.raises(ScorerError, match="shutting down"):
            await running.score(job("too late"))


async def test_an_empty_job() -> None:
    """Nothing to score is no fault."""
    async with batching(ShufflingBackend()) as (batcher, _):
        assert (await batcher.score(job())).logits == ()


async def test_guesses_are_corrected_once_a_text_is_tokenised() -> None:
    """Work that turns out larger than it looked does not go first because of it."""

    class Dense(Texts):
        def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
            return [msgspec.structs.replace(pair, cost=100) for pair in super().prepare(query, passages, max_length)]

    backend = Gated()
    batcher = Batcher(max_batch_tokens=100, max_queued_pairs=1000, observer=Observed())
    batcher.attach([Dense(backend)], Rate(1e6, 1e9))
    tasks = [asyncio.ensure_future(batcher.score(job("first")))]
    await until(lambda: backend.seen)
    tasks.append(asyncio.ensure_future(batcher.score(job("a", "b", "c"))))
    await until(lambda: len(batcher._queue.works()) == 2 and not batcher._queue.works()[1].unread)
    assert batcher._queue.works()[1].left == pytest.approx(300)
    backend.released.set()
    await asyncio.gather(*tasks)
    batcher.close()
