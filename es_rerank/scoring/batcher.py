"""Many searches, one model: one thread makes texts into pairs, one for each replica feeds the model.

What is scored next is the queue's business. Every waiter gets its scores, the part of them that was ready at its
deadline, or an exception; the pairs of a search that has gone cost no model time. A batch is as large as keeps to
BATCH_S at the speed measured so far, and nothing waits for a timer.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from es_rerank.core.estimate import estimate, tokens_about
from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.scoring.backend import Backend, Prepared
from es_rerank.scoring.cache import ScoreCache
from es_rerank.scoring.queue import Entry, Queue, Work
from es_rerank.scoring.retry import scored
from es_rerank.scoring.warmup import Pace, Rate

_SLICE = 50
"""Passages that are tokenised at a time: the model begins with the first while the next are prepared."""


class Observer(Protocol):
    """Hears of queue, batches and cache."""

    def waiting(self, pairs: int) -> None:
        """Pairs wait now."""

    def batch(self, pairs: int, fill: float) -> None:
        """A batch was scored."""

    def looked_up(self, hits: int, joined: int, misses: int) -> None:
        """Pairs were known, or being scored for somebody else, or are left to score."""


class Batcher:
    """A Scorer over one model. Until :meth:`attach` it answers ScorerWarmingUp."""

    def __init__(self, *, max_batch_tokens: int, max_queued_pairs: int, observer: Observer, cached_scores: int = 0) -> None:
        self._max_queued_pairs = max_queued_pairs
        self._observer = observer
        self._backend: Backend | None = None
        self._queue = Queue()
        self._cache = ScoreCache(cached_scores)
        self._pace = Pace(max_batch_tokens)
        self._incoming: list[tuple[Work, int]] = []
        lock = threading.Lock()
        self._arrived, self._changed = threading.Condition(lock), threading.Condition(lock)
        self._stopping = False
        self._threads: list[threading.Thread] = []

    def __repr__(self) -> str:
        model = self._backend.name if self._backend else "nothing yet"
        return f"<Batcher over {model} [{len(self._queue)} pairs queued]>"

    @property
    def batch_tokens(self) -> int:
        """The token budget of the next batch."""
        return self._pace.batch_tokens

    def attach(self, backends: Sequence[Backend], rate: Rate) -> None:
        """Begin to score with warm replicas of one model."""
        self._pace.begin(rate, len(backends))
        jobs: list[tuple[Callable[[Backend], None], Backend]] = [(self._prepare, backends[0])]
        jobs += [(self._score, backend) for backend in backends]
        self._threads = [
            threading.Thread(target=target, args=(backend,), name=f"es-rerank{target.__name__}", daemon=True)
            for target, backend in jobs
        ]
        self._backend = backends[0]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop the threads; whoever still waits gets ScorerError."""
        with self._changed:
            self._stopping = True
            self._fail(self._queue.works(), ScorerError("es-rerank is shutting down"))
            self._arrived.notify_all()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    async def score(self, job: ScoringJob) -> Scored:
        """Score until the deadline; raises ScorerBusy, ScorerWarmingUp or ScorerError."""
        if self._backend is None:
            raise ScorerWarmingUp("the model is still being loaded")
        loop = asyncio.get_running_loop()
        if not job.passages:
            return Scored(())
        asked = estimate((job.query, ""))
        cost = sum([min(asked + tokens_about(passage), job.max_length) for passage in job.passages])
        work = Work.of(job, cost, loop)
        self._enter(work)
        try:
            await asyncio.wait({work.done}, timeout=max(job.deadline - loop.time(), 0))
            if work.done.done():
                work.done.result()
        finally:
            self._leave(work)
        now = loop.time()
        begun = work.begun or now
        return Scored(tuple(work.logits), tuple(work.truncated), begun - work.entered, now - begun, round(work.size))

    def _enter(self, work: Work) -> None:
        """Admit a search, or refuse it at once; raises ScorerBusy, ScorerError."""
        with self._changed:
            if self._stopping:
                raise ScorerError("es-rerank is shutting down")
            queued = len(self._queue)
            if queued and queued + work.open > self._max_queued_pairs:
                raise ScorerBusy(f"{queued} pairs are waiting for the model")
            delay_s = self._pace.seconds(self._queue.ahead(work.job, work.size, work.entered, self._pace.tokens_per_s))
            if work.entered + delay_s >= work.job.deadline:
                raise ScorerBusy(f"about {delay_s:.1f} s of work goes first, the budget is shorter")
            self._queue.add(work)
            self._incoming.append((work, 0))
            self._arrived.notify()

    def _leave(self, work: Work) -> None:
        """Whatever has not been scored is not wanted any more."""
        with self._changed:
            work.gone = True
            self._queue.remove(work)
            self._observer.waiting(len(self._queue))
        if work.done.done() and not work.done.cancelled():
            work.done.exception()

    def _prepare(self, backend: Backend) -> None:
        """The life of the thread that tokenises: a slice at a time, of the search that has least left."""
        while True:
            with self._changed:
                while not self._incoming and not self._stopping:
                    self._arrived.wait()
                if self._stopping:
                    return
                place = min(range(len(self._incoming)), key=lambda place: self._incoming[place][0].unread)
                work, start = self._incoming.pop(place)
            if work.gone:
                continue
            job, end = work.job, start + _SLICE
            try:
                pairs = backend.prepare(job.query, job.passages[start:end], job.max_length)
            except Exception as exc:  # noqa: BLE001  whatever a tokenizer says, its waiter is answered
                self._fail([work], exc)
                continue
            self._put(work, start, pairs)
            if end < len(job.passages):
                with self._changed:
                    self._incoming.append((work, end))

    def _put(self, work: Work, start: int, pairs: Sequence[Prepared]) -> None:
        """Answer what is known, share what is on its way, queue the rest."""
        hits = joined = 0
        with self._changed:
            if work.gone:
                return
            work.unread -= len(pairs)
            for place, prepared in enumerate(pairs, start):
                work.truncated[place] = prepared.truncated
                logit = self._cache.find(prepared.key)
                if logit is not None:
                    hits += 1
                    work.left -= prepared.cost
                    self._give(work, place, logit)
                elif not self._queue.want(work, place, prepared):
                    joined += 1
            more = sum(prepared.cost for prepared in pairs) - work.guess * len(pairs)
            work.left = max(work.left + more, 0)
            work.size += more
            self._observer.waiting(len(self._queue))
            self._changed.notify_all()
        self._observer.looked_up(hits, joined, len(pairs) - hits - joined)

    def _score(self, backend: Backend) -> None:
        """The life of a thread that feeds the model: take a batch, score it, answer."""
        while (batch := self._take()) is not None:
            begun = time.perf_counter()
            try:
                logits = scored(backend, [entry.prepared for entry in batch])
            except Exception as exc:  # noqa: BLE001  a failed batch answers every waiter
                with self._changed:
                    waiters = [work for entry in batch for work, _ in self._queue.settle(entry)]
                self._fail(waiters, exc)
                continue
            tokens = sum(entry.prepared.cost for entry in batch)
            self._observer.batch(len(batch), tokens / self._pace.batch_tokens)
            self._pace.measured(tokens, time.perf_counter() - begun)
            with self._changed:
                for entry, logit in zip(batch, logits, strict=True):
                    if math.isfinite(logit):
                        self._cache.keep(entry.prepared.key, logit)
                    for work, place in self._queue.settle(entry):
                        self._give(work, place, logit)

    def _take(self) -> list[Entry] | None:
        """Wait for work and take the next batch out of the queue; None: it is time to stop."""
        with self._changed:
            while not self._stopping:
                batch = self._queue.take(self._pace.batch_tokens, self._pace.tokens_per_s)
                if batch:
                    break
                self._changed.wait()
            else:
                return None
            now = time.monotonic()
            for work in (work for entry in batch for work, _ in entry.waiters):
                work.begun = work.begun or now
            self._observer.waiting(len(self._queue))
        return batch

    @staticmethod
    def _give(work: Work, place: int, logit: float) -> None:
        work.logits[place] = logit
        work.open -= 1
        if not work.open:
            _settle(work, None)

    @staticmethod
    def _fail(works: Iterable[Work], exc: Exception) -> None:
        fault = exc if isinstance(exc, ScorerError) else ScorerError(f"{type(exc).__name__}: {exc}")
        for work in {id(work): work for work in works}.values():
            _settle(work, fault)


def _settle(work: Work, fault: ScorerError | None) -> None:
    """Answer a waiter in its own loop; a loop that has closed waits for nothing."""

    def answer() -> None:
        if work.done.done():
            return
        if fault is None:
            work.done.set_result(None)
        else:
            work.done.set_exception(fault)

    with contextlib.suppress(RuntimeError):
        work.loop.call_soon_threadsafe(answer)
