"""A scorer in other processes: ``es-rerank scorer`` at addresses, ``http://host:port`` or ``unix:/path/to.sock``.

The address with the least work under way is asked; where it cannot be reached, or says that it is not well, the next one
is, as long as time is left (scoring twice does no harm). What comes back is told in the port's own words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp
from es_rerank.scoring.addresses import Address, Addresses

_GRACE_S = 0.05
"""The answer's way back, on top of the deadline that the other process keeps."""


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

    def __init__(self, urls: Sequence[str], ca: Path | None = None) -> None:
        """``ca`` is a PEM file that https addresses are checked by; raises ScorerError where it cannot be used."""
        self._addresses = Addresses(urls, ca)

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
            except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError) as exc:
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
        for place in self._addresses.in_turn():
            left_s = job.deadline - loop.time()
            if left_s <= 0:
                break
            place.under_way += 1
            try:
                return await _asked(place, job, left_s)
            except (ScorerBusy, ScorerWarmingUp) as exc:
                fault = exc
            except (aiohttp.ClientError, OSError, msgspec.DecodeError) as exc:
                place.rest()
                fault = ScorerError(f"the scorer at {place.url} cannot be reached: {type(exc).__name__}: {exc}")
            finally:
                place.under_way -= 1
        raise fault


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
    except TimeoutError:
        return Scored((None,) * len(job.passages))
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
