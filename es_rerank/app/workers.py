"""Several proxies and one scorer: processes, started together, started again when one dies, ended together.

Never one model for each proxy. Proxies share their port (SO_REUSEPORT); each has an API port of its own, counted up from
the first. While the scorer is being started again, searches keep Elasticsearch's order.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import structlog

from es_rerank.config.settings import Settings, host_and_port
from es_rerank.errors import ModelLoadError

_log = structlog.get_logger()

_AGAIN_S = 1.0
_MENDABLE = 2
"""The exit status of a command that was told something it cannot do."""


async def run(settings: Settings, given: Mapping[str, str], workers: int, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set; ``given`` are the settings as variables of the environment.

    Raises ModelLoadError where a process says at its start that it cannot do what it was told.
    """
    with tempfile.TemporaryDirectory(prefix="es-rerank-") as folder:
        address = f"unix:{Path(folder) / 'scorer.sock'}"
        host, port = host_and_port(settings.api)
        commands = {"scorer": (["scorer", "--listen", address], dict(given))}
        for number in range(workers):
            own = {"ES_RERANK_SCORER": "remote", "ES_RERANK_SCORER_URLS": address, "ES_RERANK_REUSE_PORT": "true"}
            own["ES_RERANK_API"] = f"{f'[{host}]' if ':' in host else host}:{port + number}"
            commands[f"proxy {number + 1}"] = (["serve", "--workers", "1"], {**given, **own})
        tasks = [asyncio.create_task(_kept(name, *command, stop)) for name, command in commands.items()]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            stop.set()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)


async def _kept(name: str, arguments: list[str], variables: dict[str, str], stop: asyncio.Event) -> None:
    """Keep one process running until ``stop`` is set."""
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "es_rerank", *arguments, env={**os.environ, **variables}
        )
        ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await ended
            return
        status = ended.result()
        if status == _MENDABLE:
            msg = f"the {name} cannot be started; its own message stands above"
            raise ModelLoadError(msg)
        _log.error("process ended and is started again", process=name, status=status)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_S)
