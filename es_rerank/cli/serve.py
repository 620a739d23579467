"""``es-rerank serve``: the proxy and its API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from es_rerank.app.build import Application
from es_rerank.app.serve import listener, stop_on_signals
from es_rerank.app.serve import serve as run
from es_rerank.app.workers import run as supervise
from es_rerank.cli import options
from es_rerank.config.settings import Settings, load_settings
from es_rerank.telemetry.logs import configure


def serve(
    upstream: options.Upstream = None,
    config: options.Config = None,
    listen: Annotated[str | None, typer.Option(help="where clients connect [127.0.0.1:9201]")] = None,
    api: Annotated[str | None, typer.Option(help="health, metrics and pages [127.0.0.1:9202]")] = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    scorer: options.Scorer = None,
    model: options.Model = None,
    device: options.Device = None,
    precision: options.Precision = None,
    scorer_urls: options.ScorerUrls = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="proxies; more than one share one scorer process")] = 1,
    state: Annotated[
        Path | None, typer.Option(help="file in which one machine's processes share experiments [an index of the cluster]")
    ] = None,
    judgments: Annotated[Path | None, typer.Option(help="folder of the query sets that people grade [nowhere]")] = None,
    events: Annotated[str | None, typer.Option(help="where clicks are reported, host:port [nowhere]")] = None,
    log_level: options.LogLevel = None,
) -> None:
    """Serve searches in a better order. Every option, and more, can come from the environment (ES_RERANK_…)."""
    given = {name: value for name, value in locals().items() if name != "workers" and value is not None}
    settings = load_settings(**given)
    configure(settings.log_level)
    if workers > 1:
        variables = {f"ES_RERANK_{name.upper()}": str(value) for name, value in given.items()}
        uvloop.run(_supervised(settings, variables, workers))
    else:
        uvloop.run(_served(settings))


async def _supervised(settings: Settings, variables: dict[str, str], workers: int) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await supervise(settings, variables, workers, stop)


async def _served(settings: Settings) -> None:
    application = Application(settings)
    proxy_socket, api_socket = (
        listener(settings.listen, "--listen", shared=settings.reuse_port),
        listener(settings.api, "--api"),
    )
    reported = listener(settings.events, "--events", shared=settings.reuse_port) if settings.events else None
    stop = asyncio.Event()
    stop_on_signals(stop)
    await run(application, proxy_socket, api_socket, stop, events_socket=reported)
