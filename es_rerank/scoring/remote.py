"""A scorer in other processes: ``es-rerank scorer`` at addresses, ``http://host:port`` or ``unix:/path/to.sock``.

The address with least work is asked; where it cannot be reached, or says that it is not well, the next one is, as long as
time and a budget for that are left (scoring twice does no harm). What takes unusually long is asked elsewhere, too, and the
first answer counts. What comes back is told in the port's own words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import msgspec

from es_rerank.core.estimate import estimate
from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.scoring.addresses import Address, Addresses
from es_rerank.scoring.budget import Budget
from es_rerank.scoring.hedging import Hedging

_GRACE_S = 0.05
"""The answer's way back, on top of the deadline that the other process keeps."""


_FAIR_S = 0.1
"""An address that had less time than this is not blamed for being late."""


class _Late(Exception):
    """No answer by the deadline."""


class Info(msgspec.Struct, frozen=True):
    """What a scorer says of itself."""

    model_id: str
    device: str = ""
    pairs_per_s: float = 0.0
    ready: bool = True


class _Rank(msgspec.Struct, frozen=True):
    index: int
    score: float
    truncated: bool = False


class RemoteScorer:
    """A Scorer over addresses."""

    def __init__(self, urls: Sequence[str], ca: Path | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        """``ca`` is a PEM file that https addresses are checked by; raises ScorerError where it cannot be used.

        ``tell`` hears of every request: ``first``, ``retry``, ``hedge``, and ``hedge-won`` where that one answered first.
        """
        self._addresses = Addresses(urls, ca)
        self._retries = Budget()
        self._hedging = Hedging()
        self._tell = tell

    def __repr__(self) -> str:
        return f"<RemoteScorer at {self._addresses!r}>"

    async def close(self) -> None:
        """Close every connection."""
        await self._addresses.close()

    async def info(self) -> Info | str:
        """What the first that answers says; or why none does."""
        said = []
        for place in self._addresses.all:
            try:
                async with place.session.get(f"{place.base}/info", timeout=aiohttp.ClientTimeout(total=5)) as response:
                    info = msgspec.json.decode(await response.read(), type=Info)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
                said.append(f"{place.url}: {type(exc).__name__}: {exc}")
                continue
            if info.ready:
                return info
            said.append(f"{place.url}: the model is still being loaded")
        return "; ".join(said)

    async def score(self, job: ScoringJob) -> Scored:
        """Score until the deadline; raises ScorerBusy, ScorerWarmingUp, ScorerError."""
        if not job.passages:
            return Scored(())
        fault: ScorerError = ScorerError("no scorer is configured")
        loop = asyncio.get_running_loop()
        tokens = sum(estimate((job.query, passage)) for passage in job.passages)
        self._retries.sent()
        self._hedging.sent()
        for attempt, place in enumerate(self._addresses.in_turn()):
            if job.deadline <= loop.time() or (attempt and not self._retries.take()):
                break
            self._tell("retry" if attempt else "first")
            try:
                return await self._hedged(place, job, tokens)
            except (ScorerBusy, ScorerWarmingUp) as exc:
                fault = exc
            except (aiohttp.ClientError, OSError, ValueError, IndexError) as exc:
                fault = ScorerError(f"the scorer at {place.url} cannot be reached: {type(exc).__name__}: {exc}")
        raise fault

    async def _hedged(self, place: Address, job: ScoringJob, tokens: int) -> Scored:
        """Ask one place, and where that takes unusually long another, too; the first answer counts, the other is dropped."""
        after_s = self._hedging.after(tokens) if len(self._addresses.all) > 1 else None
        if after_s is None:
            return await self._at(place, job, tokens)
        first = asyncio.ensure_future(self._at(place, job, tokens))
        running = {first}
        try:
            await asyncio.wait(running, timeout=after_s)
            other = None if first.done() else self._other(place, job)
            if other is not None:
                self._tell("hedge")
                running.add(asyncio.ensure_future(self._at(other, job, tokens)))
            while True:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                good = [task for task in done if task.exception() is None]
                if good or not running:
                    answered = next(iter(good or done))
                    if answered is not first and not answered.exception():
                        self._tell("hedge-won")
                    return (first if first.done() and not good else answered).result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _other(self, place: Address, job: ScoringJob) -> Address | None:
        """Where to ask a second time; None: nowhere."""
        left_s = job.deadline - asyncio.get_running_loop().time()
        other = next((one for one in self._addresses.well() if one is not place), None)
        return other if other is not None and self._hedging.take(left_s, other.queue_s) else None

    async def _at(self, place: Address, job: ScoringJob, tokens: int) -> Scored:
        """Ask one place, and take note of how it fared."""
        begun = asyncio.get_running_loop().time()
        with place.busy(tokens):
            try:
                scored = await _asked(place, job, job.deadline - begun)
            except _Late:
                if job.deadline - begun >= _FAIR_S:  # it keeps the deadline itself, so no answer is no good sign
                    place.failed()
                return Scored((None,) * len(job.passages))
            except (aiohttp.ClientError, OSError, ValueError, IndexError):  # no connection, or no answer that can be read
                place.failed()
                raise
        place.worked()
        place.queue_s = scored.queued_s
        self._hedging.took(tokens, asyncio.get_running_loop().time() - begun)
        return scored


async def _asked(place: Address, job: ScoringJob, left_s: float) -> Scored:
    asked = {
        "query": job.query,
        "texts": job.passages,
        "raw_scores": True,
        "truncate": True,
        "deadline_ms": max(left_s * 1000, 1.0),
        "max_length": job.max_length,
        "index": job.index,
        "weight": job.weight,
    }
    limit = aiohttp.ClientTimeout(total=left_s + _GRACE_S)
    headers = {"Content-Type": "application/json"}
    body = msgspec.json.encode(asked)
    try:
        async with place.session.post(f"{place.base}/rerank", data=body, headers=headers, timeout=limit) as response:
            data = await response.read()
            timing = response.headers.get("Server-Timing", "")
            status = response.status
    except TimeoutError as exc:
        raise _Late from exc
    if status != 200:  # noqa: PLR2004  found
        said = data.decode("utf-8", "replace")[:300]
        kinds = {429: ScorerBusy, 503: ScorerWarmingUp}
        raise kinds.get(status, ScorerError)(f"the scorer at {place.url} answered {status}: {said}")
    logits: list[float | None] = [None] * len(job.passages)
    truncated = [False] * len(job.passages)
    for rank in msgspec.json.decode(data, type=list[_Rank]):
        logits[rank.index], truncated[rank.index] = rank.score, rank.truncated
    queued_s, model_s = (_seconds(timing, name) for name in ("queue", "model"))
    return Scored(tuple(logits), tuple(truncated), queued_s, model_s)


def _seconds(timing: str, name: str) -> float:
    """A duration of a ``Server-Timing`` header line, in seconds; 0 where it is missing."""
    for entry in timing.split(","):
        label, _, value = entry.strip().partition(";dur=")
        if label == name:
            try:
                return float(value) / 1000
            except ValueError:
                return 0.0
    return 0.0
