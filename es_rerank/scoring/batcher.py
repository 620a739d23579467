"""Many searches, one model: a bounded queue in front of one thread that feeds the backend.

Pairs of all waiting searches are batched together in the order of their arrival. Every waiter gets its scores, the part
of them that was ready at its deadline, or an exception; the pairs of a search that has gone cost no model time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.scoring.backend import Backend, OutOfMemory, Pair
from es_rerank.scoring.batch import estimate, fit


class _Work(msgspec.Struct, eq=False):
    """One search in the queue. Only the worker thread writes ``logits``, ``taken`` and ``begun``."""

    job: ScoringJob
    costs: list[int]
    logits: list[float | None]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    entered: float
    begun: float | None = None
    taken: int = 0
    answered: int = 0

    @property
    def waiting(self) -> int:
        """How many of its pairs have not been taken into a batch."""
        return len(self.costs) - self.taken


class Observer(Protocol):
    """Hears of queue and batches."""

    def waiting(self, pairs: int) -> None:
        """Pairs wait now."""

    def batch(self, pairs: int, fill: float) -> None:
        """A batch was scored."""


class Batcher:
    """A Scorer over one backend. Until :meth:`attach` it answers ScorerWarmingUp."""

    def __init__(self, *, max_batch_tokens: int, max_queued_pairs: int, observer: Observer) -> None:
        self.max_batch_tokens = max_batch_tokens
        self._max_queued_pairs = max_queued_pairs
        self._observer = observer
        self._backend: Backend | None = None
        self._queue: deque[_Work] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        model = self._backend.name if self._backend else "nothing yet"
        return f"<Batcher over {model} [{self._queued()} pairs queued]>"

    def attach(self, backend: Backend, max_batch_tokens: int | None = None) -> None:
        """Begin to score with a warm backend."""
        self._backend = backend
        self.max_batch_tokens = max_batch_tokens or self.max_batch_tokens
        self._thread = threading.Thread(target=self._work, args=(backend,), name="es-rerank-model", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread; whoever still waits gets ScorerError."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=5)

    async def score(self, job: ScoringJob) -> Scored:
        """Score until the deadline; raises ScorerBusy, ScorerWarmingUp or ScorerError."""
        if self._backend is None:
            msg = "the model is still being loaded"
            raise ScorerWarmingUp(msg)
        loop = asyncio.get_running_loop()
        costs = [estimate((job.query, passage), job.max_length) for passage in job.passages]
        work = _Work(job, costs, [None] * len(costs), loop, loop.create_future(), time.monotonic())
        self._enter(work)
        try:
            await asyncio.wait({work.done}, timeout=max(job.deadline - loop.time(), 0))
            if work.done.done():
                work.done.result()
        finally:
            self._leave(work)
        now = time.monotonic()
        begun = work.begun or now
        return Scored(tuple(work.logits), queued_s=begun - work.entered, model_s=now - begun)

    def _enter(self, work: _Work) -> None:
        with self._changed:
            queued = self._queued()
            if self._stopping or (queued and queued + work.waiting > self._max_queued_pairs):
                msg = f"{queued} pairs are waiting for the model"
                raise ScorerBusy(msg)
            if not work.costs:
                work.done.set_result(None)
                return
            self._queue.append(work)
            self._changed.notify()
        self._observer.waiting(queued + len(work.costs))

    def _leave(self, work: _Work) -> None:
        """Whatever has not been scored is not wanted any more."""
        with self._changed:
            if work in self._queue:
                self._queue.remove(work)
        if work.done.done() and not work.done.cancelled():
            work.done.exception()

    def _queued(self) -> int:
        return sum(work.waiting for work in self._queue)

    def _work(self, backend: Backend) -> None:
        """The thread's life: take a batch, score it, answer."""
        while True:
            batch = self._take()
            if batch is None:
                return
            pairs = [(work.job.query, work.job.passages[place]) for work, place in batch]
            max_length = batch[0][0].job.max_length
            try:
                logits = _scored(backend, pairs, max_length)
            except Exception as exc:  # noqa: BLE001  a failed batch answers every waiter
                self._fail({id(work): work for work, _ in batch}.values(), exc)
                continue
            used = sum(work.costs[place] for work, place in batch)
            self._observer.batch(len(batch), used / self.max_batch_tokens)
            for (work, place), logit in zip(batch, logits, strict=True):
                work.logits[place] = logit
                work.answered += 1
                if work.answered == len(work.costs):
                    _settle(work, None)

    def _take(self) -> list[tuple[_Work, int]] | None:
        """Wait for work and take the next batch out of the queue; None: it is time to stop."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            if self._stopping:
                left = list(self._queue)
                self._queue.clear()
                self._fail(left, ScorerError("es-rerank is shutting down"))
                return None
            max_length = self._queue[0].job.max_length
            waiting = list(self._waiting(max_length))
            count = fit((work.costs[place] for work, place in waiting), self.max_batch_tokens)
            batch = waiting[:count]
            now = time.monotonic()
            for work, _ in batch:
                work.taken += 1
                work.begun = work.begun or now
                if not work.waiting:
                    self._queue.remove(work)
            queued = self._queued()
        self._observer.waiting(queued)
        return batch

    def _waiting(self, max_length: int) -> Iterator[tuple[_Work, int]]:
        """The waiting pairs that may share a batch, in the order of their arrival."""
        for work in self._queue:
            if work.job.max_length == max_length:
                for place in range(work.taken, len(work.costs)):
                    yield work, place

    @staticmethod
    def _fail(works: Iterable[_Work], exc: Exception) -> None:
        fault = exc if isinstance(exc, ScorerError) else ScorerError(f"{type(exc).__name__}: {exc}")
        for work in works:
            _settle(work, fault)


def _settle(work: _Work, fault: ScorerError | None) -> None:
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


def _scored(backend: Backend, pairs: list[Pair], max_length: int) -> list[float]:
    """Score a batch; where it does not fit into memory, by halves. Raises OutOfMemory for a single pair."""
    try:
        logits = backend.score(pairs, max_length)
    except OutOfMemory:
        if len(pairs) == 1:
            raise
        half = len(pairs) // 2
        return _scored(backend, pairs[:half], max_length) + _scored(backend, pairs[half:], max_length)
    if len(logits) != len(pairs):
        msg = f"{backend.name} gave {len(logits)} scores for {len(pairs)} pairs"
        raise ScorerError(msg)
    return logits
