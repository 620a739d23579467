"""Which HTTP client carries the proxy's traffic: python bench/upstream_clients.py.

One process, one event loop, an upstream that answers a POST of 100 bytes with 15 KB, 64 requests in flight; interleaved
rounds, median. Ratios are to httpx. Prints a Markdown table.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import aiohttp
import httpx
import uvloop

from es_rerank.core.ports import UpstreamRequest
from es_rerank.upstream.client import UpstreamClient

BODY = b'{"query":{"match":{"title":"snow"}}}' + b" " * 64
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15000\r\n\r\n" + b"x" * 15000
IN_FLIGHT = 64
ROUND_S = 3.0
ROUNDS = 3

Ask = Callable[[], Awaitable[None]]


async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request alike."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def rate(ask: Ask) -> float:
    """Requests a second with 64 in flight."""
    count, end = 0, time.perf_counter() + ROUND_S

    async def work() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await ask()
            count += 1

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return count / ROUND_S


async def main() -> None:
    """Measure and print."""
    server = await asyncio.start_server(upstream, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/books/_search"
    plain_httpx = httpx.AsyncClient(limits=httpx.Limits(max_connections=IN_FLIGHT))
    plain_aiohttp = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    ours = UpstreamClient(f"http://127.0.0.1:{port}")
    headers = {"content-type": "application/json"}
    lines = ((b"content-type", b"application/json"),)

    async def ask_httpx() -> None:
        await plain_httpx.post(url, content=BODY, headers=headers)

    async def ask_aiohttp() -> None:
        async with plain_aiohttp.post(url, data=BODY, headers=headers) as response:
            await response.read()

    async def ask_ours() -> None:
        await ours.send(UpstreamRequest("POST", b"/books/_search", lines, BODY), timeout_s=None, max_bytes=2**20)

    named: dict[str, Ask] = {"httpx 0.28": ask_httpx, "aiohttp": ask_aiohttp, "`UpstreamClient` (on aiohttp)": ask_ours}
    found: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(ROUNDS):
        for name, ask in named.items():
            found[name].append(await rate(ask))
    base = statistics.median(found["httpx 0.28"])
    print("| client | requests a second | against httpx |\n| --- | --- | --- |")
    for name, rates in found.items():
        middle = statistics.median(rates)
        print(f"| {name} | {middle:.0f} | {middle / base:.1f} × |")
    await plain_httpx.aclose()
    await plain_aiohttp.close()
    await ours.close()
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
