"""Addresses of other processes, ``http://host:port`` or ``unix:/path``, and who is asked next: the one with the least to do.

One that could not be reached is asked last for a while. Does not know what is asked.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from es_rerank.errors import ScorerError

_REST_S = 1.0


class Address:
    """One address, and its connections."""

    def __init__(self, url: str, trusted: ssl.SSLContext | bool) -> None:
        self.url = url
        self._trusted = trusted
        self._path = url.removeprefix("unix:") if url.startswith("unix:") else None
        self.base = "http://scorer" if self._path else url.rstrip("/")
        self.under_way = 0
        self.rests_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Connections to it, made in the running loop."""
        if self._session is None:
            unix = aiohttp.UnixConnector(self._path, limit=0) if self._path else None
            self._session = aiohttp.ClientSession(connector=unix or aiohttp.TCPConnector(limit=0, ssl=self._trusted))
        return self._session

    def rest(self) -> None:
        """Be asked last for a while."""
        self.rests_until = asyncio.get_running_loop().time() + _REST_S

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
        """Who is asked, one after another."""
        now = asyncio.get_running_loop().time()
        return sorted(self.all, key=lambda address: (address.rests_until > now, address.under_way))

    async def close(self) -> None:
        """Close every connection."""
        for address in self.all:
            await address.close()
