"""A fixed rate of requests over kept connections: what each waited, from the moment it was due.

An open loop, so that a slow answer does not hold back the next request and hide its own cost.
"""

from __future__ import annotations

import asyncio
import statistics

import aiohttp
import uvloop

from bench.proxy.stage import BODY, TARGET, Load


def steady(port: int, rate: int, seconds: int) -> Load:
    """Ask ``rate`` times a second for ``seconds``."""
    return uvloop.run(_steady(port, rate, seconds))


async def _steady(port: int, rate: int, seconds: int) -> Load:
    waits: list[float] = []
    failed = 0
    url, lines = f"http://127.0.0.1:{port}{TARGET}", {"Content-Type": "application/json"}
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:

        async def one(due: float) -> None:
            nonlocal failed
            async with session.post(url, data=BODY, headers=lines) as response:
                await response.read()
                failed += response.status != 200
            waits.append((loop.time() - due) * 1000)

        begun = loop.time() + 0.1
        tasks = set()
        for number in range(rate * seconds):
            due = begun + number / rate
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            tasks.add(asyncio.create_task(one(due)))
        await asyncio.gather(*tasks)
    ranks = statistics.quantiles(waits, n=100)
    return Load(rate, ranks[49], ranks[98], len(waits), failed)
