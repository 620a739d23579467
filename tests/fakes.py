"""Hand-written stand-ins: backends that score in known ways or fail in known ways, an upstream, a scorer, a log."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from es_rerank.core.ports import Headers, Scored, ScoringJob, SearchRecord, UpstreamRequest, UpstreamResponse
from es_rerank.scoring.backend import OutOfMemory, Pair


class ShufflingBackend:
    """A logit from the passage's bytes: an order that has nothing to do with Elasticsearch's, and is always the same."""

    name = "shuffling"
    device = "cpu"

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        return [zlib.crc32(passage.encode()) / 2**32 * 16 - 8 for _, passage in pairs]


class FaultyBackend(ShufflingBackend):
    """Scores like its parent until ``fault`` is set; then fails in that way."""

    name = "faulty"

    def __init__(self) -> None:
        self.fault = ""
        self.released = threading.Event()
        self.calls = 0

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        self.calls += 1
        logits = super().score(pairs, max_length)
        if self.fault == "raises":
            raise RuntimeError("the model has died")
        if self.fault == "nan":
            return [float("nan")] * len(pairs)
        if self.fault == "short":
            return logits[:-1]
        if self.fault == "stalls":
            self.released.wait(30)
        if self.fault == "memory" and len(pairs) > 2:
            raise OutOfMemory("too many")
        return logits


class FakeUpstream:
    """Answers by a function of the request and keeps what it was asked."""

    def __init__(self, answer: Callable[[UpstreamRequest], UpstreamResponse | Exception]) -> None:
        self.answer = answer
        self.asked: list[UpstreamRequest] = []

    async def send(self, request: UpstreamRequest, *, timeout_s: float | None, max_bytes: int) -> UpstreamResponse:
        self.asked.append(request)
        found = self.answer(request)
        if isinstance(found, Exception):
            raise found
        return found

    @asynccontextmanager
    async def stream(self, request: UpstreamRequest) -> AsyncIterator[FakeStream]:
        yield FakeStream(await self.send(request, timeout_s=None, max_bytes=2**30))


class FakeStream:
    """A whole answer as if it were arriving."""

    def __init__(self, response: UpstreamResponse) -> None:
        self.status = response.status
        self.headers: Headers = response.headers
        self._body = response.body

    ended = True

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._body


class FakeScorer:
    """Gives the logits that it was told, or raises; remembers its jobs. ``delay_s`` is waited in the event loop."""

    def __init__(self, *logits: float | None, fault: Exception | None = None) -> None:
        self.logits = logits
        self.fault = fault
        self.jobs: list[ScoringJob] = []
        self.forever = False

    async def score(self, job: ScoringJob) -> Scored:
        self.jobs.append(job)
        if self.forever:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        return Scored(tuple(self.logits), queued_s=0.001, model_s=0.002)


class FakeLog:
    """Keeps records."""

    def __init__(self) -> None:
        self.records: list[SearchRecord] = []

    def record(self, search: SearchRecord) -> None:
        self.records.append(search)


class FakeClock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
