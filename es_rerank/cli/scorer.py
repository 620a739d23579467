"""``es-rerank scorer``: the model alone, for proxies in other processes."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
import uvloop

from es_rerank.app.scorer import serve as run
from es_rerank.app.serve import stop_on_signals
from es_rerank.cli import options
from es_rerank.config.settings import Settings, load_settings
from es_rerank.telemetry.logs import configure


def scorer(
    listen: Annotated[str, typer.Option(help="host:port or unix:/path/to.sock")] = "127.0.0.1:9203",
    scorer: options.Scorer = None,
    model: options.Model = None,
    device: options.Device = None,
    precision: options.Precision = None,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    log_level: options.LogLevel = None,
) -> None:
    """Serve one model to proxies (`serve --scorer remote --scorer-urls …`), in the shape of TEI's /rerank."""
    given = {name: value for name, value in locals().items() if name != "listen"}
    settings = load_settings(**given)
    configure(settings.log_level)
    uvloop.run(_served(settings, listen))


async def _served(settings: Settings, listen: str) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await run(settings, listen, stop)
