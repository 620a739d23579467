"""Addresses of other processes, ``http://host:port`` or ``unix:/path``, and who is asked next: the one with least work.

Work is counted in tokens, about, since requests differ in size a hundredfold. An address that fails rests, longer each time;
when its rest is over one request tries it, and the others wait until that is answered. Does not know what is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp

from es_rerank.errors import ScorerError

FIRST_REST_S = 1.0
LONGEST_REST_S = 30.0


class Address:
    """One address, and its connections. ``work`` is what it has to do for us, in tokens; ``requests`` how many requests that
    is. ``queue_s``: how long it last said that work waits there.
    """

    def __init__(self, url: str, trusted: ssl.SSLContext | bool) -> None:
        self.url = url
        self._trusted = trusted
        self._path = url.removeprefix("unix:") if url.startswith("unix:") else None
        self.base = "http://scorer" if self._path else url.rstrip("/")
        self.work = 0
        self.requests = 0
        self.queue_s = 0.0
        self.failures = 0
        self.rests_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<Address {self.url}: {self.requests} requests, {self.work} tokens, {self.failures} failures>"

    @property
    def session(self) -> aiohttp.ClientSession:
        """Connections to it, made in the running loop."""
        if self._session is None:
            unix = aiohttp.UnixConnector(self._path, limit=0) if self._path else None
            self._session = aiohttp.ClientSession(connector=unix or aiohttp.TCPConnector(limit=0, ssl=self._trusted))
        return self._session

    @contextlib.contextmanager
    def busy(self, tokens: int) -> Iterator[None]:
        """Count work while it is under way."""
        self.work += tokens
        self.requests += 1
        try:
            yield
        finally:
            self.work -= tokens
            self.requests -= 1

    def failed(self) -> None:
        """Rest: a second, two, four, up to half a minute."""
        rest_s = min(FIRST_REST_S * 2**self.failures, LONGEST_REST_S)
        self.failures += 1
        self.rests_until = asyncio.get_running_loop().time() + rest_s

    def worked(self) -> None:
        """Be as any other again."""
        self.failures, self.rests_until = 0, 0.0

    def rests(self, now: float) -> bool:
        """Whether it is left alone: it failed lately, or somebody is finding out whether it is well again."""
        return self.rests_until > now or (self.failures > 0 and self.requests > 0)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


class Addresses:
    """All of them."""

    def __init__(self, urls: Sequence[str], ca: Path | None = None) -> None:
        """``ca`` is a PEM file that https addresses are checked by; raises ScorerError where it cannot be used."""
        try:
            trusted = True if ca is None else ssl.create_default_context(cafile=str(ca))
        except (OSError, ssl.SSLError) as exc:
            raise ScorerError(f"the CA file {ca} of the scorers cannot be used: {exc}") from exc
        self.all = [Address(url, trusted) for url in urls]

    def __repr__(self) -> str:
        return ", ".join(address.url for address in self.all)

    def in_turn(self) -> list[Address]:
        """Who is asked, one after another: those that are well by their work, then those that rest, the soonest first.

        Resting ones are asked at all since a fleet that rests as a whole would otherwise never be tried.
        """
        now = asyncio.get_running_loop().time()
        return sorted(self.all, key=lambda one: (one.rests(now), one.rests_until if one.rests(now) else one.work))

    def well(self) -> list[Address]:
        """Those that do not rest, by their work."""
        now = asyncio.get_running_loop().time()
        return sorted((one for one in self.all if not one.rests(now)), key=lambda one: one.work)

    async def close(self) -> None:
        """Close every connection."""
        for address in self.all:
            await address.close()
