"""The least that our server and client libraries can do: uvicorn in front, aiohttp behind, nothing of ours between.

What it reaches is the limit of es-rerank's own rate. ``uvicorn bench.proxy.bare:app``.
"""

from __future__ import annotations

import os

import aiohttp
from yarl import URL

from es_rerank.app.exchange import Receive, Scope, Send

UPSTREAM = os.environ.get("UPSTREAM", "http://127.0.0.1:9200")
_sessions: list[aiohttp.ClientSession] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read, ask, answer."""
    if scope["type"] != "http":
        return
    if not _sessions:
        connector, cookies = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
        _sessions.append(aiohttp.ClientSession(connector=connector, cookie_jar=cookies, auto_decompress=False))
    body = (await receive())["body"]
    lines = [(name.decode(), value.decode()) for name, value in scope["headers"] if name not in {b"host", b"content-length"}]
    url = URL(UPSTREAM + scope["path"], encoded=True)
    async with _sessions[0].request(scope["method"], url, headers=lines, data=body) as found:
        answer = await found.read()
        await send({"type": "http.response.start", "status": found.status, "headers": found.raw_headers})
        await send({"type": "http.response.body", "body": answer})
