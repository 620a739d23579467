"""The scorer process: one model for many proxies, on a port or a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fastapi import FastAPI, Response

from es_rerank import __version__
from es_rerank.app.api import rerank
from es_rerank.app.model import Model
from es_rerank.app.serve import listener, server, until_stopped
from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.errors import ConfigError
from es_rerank.scoring.backend import Backend
from es_rerank.telemetry.metrics import Metrics


async def serve(
    settings: Settings,
    listen: str,
    stop: asyncio.Event,
    started: Callable[[], None] = lambda: None,
    load_backends: Callable[[], Sequence[Backend]] | None = None,
) -> None:
    """Serve on ``host:port`` or ``unix:/path`` until ``stop`` is set; raises ConfigError, ScorerError."""
    metrics = Metrics()
    model = Model(settings, Readiness(), metrics, load_backends)
    with _listening(listen) as listening:
        bare = settings.model_copy(update={"tls_cert": None, "tls_key": None})  # a socket file has its own access rights
        running = server(build_scorer(model, metrics), bare if listen.startswith("unix:") else settings)
        serving = asyncio.create_task(running.serve(sockets=[listening]))
        warming, stopping = asyncio.create_task(model.warm_up()), asyncio.create_task(stop.wait())
        try:
            while not running.started:
                await asyncio.sleep(0.01)
            started()
            await until_stopped(warming, stopping)
        finally:
            running.should_exit = True
            await serving
            for task in (warming, stopping):
                task.cancel()
            await asyncio.gather(warming, stopping, return_exceptions=True)
            await model.close()


@contextlib.contextmanager
def _listening(listen: str) -> Iterator[socket.socket]:
    """Bind; a socket file left by a process that died is replaced, and ours is taken away at the end."""
    if not listen.startswith("unix:"):
        with contextlib.closing(listener(listen, "--listen")) as bound:
            yield bound
        return
    path = Path(listen.removeprefix("unix:"))
    bound = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(0o600)
        bound.listen(2048)
    except OSError as exc:
        bound.close()
        remedy = "choose a path in a folder that exists and can be written to"
        raise ConfigError("--listen", "", f"cannot listen on {listen}: {exc.strerror or exc}", remedy) from exc
    try:
        yield bound
    finally:
        bound.close()
        path.unlink(missing_ok=True)


def build_scorer(model: Model, metrics: Metrics) -> FastAPI:
    """The application over a model that may still be loading."""
    api = FastAPI(title="es-rerank scorer", version=__version__, docs_url=None, redoc_url=None)
    api.include_router(rerank.router(model, only=["/rerank"]))

    @api.get("/health", summary="200 once the model is warm, 503 until then")
    def health() -> Response:
        return Response(status_code=200 if model.readiness.ready else 503)

    @api.get("/metrics", summary="Metrics for Prometheus")
    def exposition() -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return api
