"""A scorer behind another system's rerank API: TEI, vLLM, Infinity, Cohere, Jina, Voyage.

A job is split into as many requests as the system wants, in first-stage order, a few at a time. What fails in passing
(429, 5xx, no connection) is asked again as long as the deadline and a budget allow: retries are at most a tenth of all
requests, after a burst of ten. What does not come in time is left out of the answer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from es_rerank.core.estimate import estimate
from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.dialects.providers import PROVIDERS, Provider, ProviderName, Request
from es_rerank.errors import ScorerBusy, ScorerError
from es_rerank.scoring.addresses import Address, Addresses
from es_rerank.scoring.budget import Budget
from es_rerank.scoring.remote import Info

_AT_ONCE = 4
_FIRST_WAIT_S = 0.1
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Passing(ScorerError):
    """A fault that may be over soon; ``wait_s`` is what the other side asked for."""

    def __init__(self, said: str, wait_s: float = 0.0, *, busy: bool = False) -> None:
        super().__init__(said)
        self.wait_s = wait_s
        self.busy = busy


class ProviderScorer:
    """A Scorer over one system's addresses."""

    def __init__(
        self,
        name: ProviderName,
        urls: tuple[str, ...],
        *,
        model: str = "",
        key: str | None = None,
        most: int | None = None,
        ca: Path | None = None,
    ) -> None:
        """``most``: texts in one request, where it is not the system's usual number. Raises ScorerError."""
        self._name = name
        self._provider: Provider = PROVIDERS[name]
        self._most = most or self._provider.most
        self._model = model
        self._addresses = Addresses(urls, ca)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._retries = Budget()

    def __repr__(self) -> str:
        return f"<ProviderScorer {self._name} at {self._addresses!r}>"

    async def close(self) -> None:
        """Close every connection."""
        await self._addresses.close()

    async def info(self) -> Info | str:
        """Score one pair; or why that cannot be done."""
        job = ScoringJob("query", ("passage",), 512, asyncio.get_running_loop().time() + 10)
        try:
            scored = await self.score(job)
        except ScorerError as exc:
            return str(exc)
        return Info(self._model or self._name, self._name) if scored.logits[0] is not None else f"no answer from {self!r}"

    async def score(self, job: ScoringJob) -> Scored:
        """Score until the deadline; raises ScorerBusy, ScorerError where nothing could be scored."""
        gate = asyncio.Semaphore(_AT_ONCE)
        pieces = [job.passages[place : place + self._most] for place in range(0, len(job.passages), self._most)]

        async def one(texts: tuple[str, ...]) -> list[float] | list[None] | ScorerError:
            try:
                async with gate, asyncio.timeout_at(job.deadline):
                    return await self._until_it_works(Request(job.query, texts, self._model, job.max_length))
            except TimeoutError:
                return [None] * len(texts)
            except ScorerError as exc:
                return exc

        found = await asyncio.gather(*map(one, pieces))
        faults = [part for part in found if isinstance(part, ScorerError)]
        if faults and len(faults) == len(found):
            raise faults[0]
        logits: list[float | None] = []
        for texts, part in zip(pieces, found, strict=True):
            logits += [None] * len(texts) if isinstance(part, ScorerError) else part
        return Scored(tuple(logits))

    async def _until_it_works(self, request: Request) -> list[float]:
        """Ask, and ask again while that may help."""
        self._retries.sent()
        wait_s = _FIRST_WAIT_S
        while True:
            address = self._addresses.in_turn()[0]
            try:
                return await self._asked(address, request)
            except _Passing as exc:
                if not self._retries.take():
                    raise (ScorerBusy if exc.busy else ScorerError)(str(exc)) from exc
                await asyncio.sleep(max(wait_s, exc.wait_s))
                wait_s *= 2

    async def _asked(self, address: Address, request: Request) -> list[float]:
        """One request; raises _Passing, ScorerError."""
        url, body = f"{address.base}{self._provider.path}", self._provider.encode(request)
        tokens = sum(estimate((request.query, text)) for text in request.texts)
        try:
            with address.busy(tokens):
                async with address.session.post(url, data=body, headers=self._headers) as response:
                    data = await response.read()
                    status, after = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError) as exc:
            address.failed()
            raise _Passing(f"the scorer at {address.url} cannot be reached: {type(exc).__name__}: {exc}") from exc
        address.worked()
        if status == 200:  # noqa: PLR2004  found
            return self._provider.decode(data, len(request.texts))
        said = f"the scorer at {address.url} answered {status}: {data.decode('utf-8', 'replace')[:300]}"
        if status in _PASSING:
            raise _Passing(said, float(after) if after.isdecimal() else 0.0, busy=status == 429)  # noqa: PLR2004
        raise ScorerError(said)
