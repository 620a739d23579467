"""All listeners in one event loop, from start to a shutdown that lets searches finish.

The API listens first, so that probes see a process that is loading; the proxy listens at once too and answers in
Elasticsearch's order until the model is warm. Does not build what it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any

import uvicorn

from es_rerank.app.build import Application
from es_rerank.app.protocol import TargetProtocol
from es_rerank.config.settings import Settings, host_and_port
from es_rerank.errors import ConfigError


class _Server(uvicorn.Server):
    """A server that leaves signals to us, since two of them run in one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:  # noqa: ANN401  uvicorn's own signature
        yield


def listener(place: str, option: str, *, shared: bool = False) -> socket.socket:
    """Bind ``host:port`` (port 0: any free one), ``shared`` with others; raises ConfigError that names the option."""
    host, port = host_and_port(place)
    try:
        found = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048, reuse_port=shared
        )
    except OSError as exc:
        remedy = f"stop what uses it, or choose another with {option}"
        raise ConfigError(option, "", f"cannot listen on {place}: {exc.strerror or exc}", remedy) from exc
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it; asyncio sets it on some only
    return found


def server(app: Any, settings: Settings, **more: Any) -> _Server:  # noqa: ANN401  an ASGI application
    """A server of one listener, without lines or headers of its own; raises ConfigError for an unusable certificate."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=settings.shutdown_s,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_keep_alive=75,
        ws="none",
        **more,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as exc:
        remedy = "give readable PEM files that belong together, the key not encrypted"
        problem = f"{settings.tls_cert} and {settings.tls_key or 'the key in it'} cannot be used: {exc}"
        raise ConfigError("--tls-cert", "", problem, remedy) from exc
    return _Server(config)


async def serve(
    application: Application,
    proxy_socket: socket.socket,
    api_socket: socket.socket,
    stop: asyncio.Event,
    started: Callable[[], None] = lambda: None,
    events_socket: socket.socket | None = None,
) -> None:
    """Serve until ``stop`` is set; raises ScorerError where the model cannot be loaded."""
    settings = application.settings
    proxy = server(application.proxy, settings, http=TargetProtocol, h11_max_incomplete_event_size=65_536)
    api = server(application.api, settings)
    servers = [proxy, api]
    running = [
        asyncio.create_task(api.serve(sockets=[api_socket])),
        asyncio.create_task(proxy.serve(sockets=[proxy_socket])),
    ]
    if events_socket is not None and application.events is not None:
        servers.append(server(application.events, settings))
        running.append(asyncio.create_task(servers[-1].serve(sockets=[events_socket])))
    followed = (application, application.policies, application.upstream, application.experiments)
    looking = [asyncio.create_task(one.watch()) for one in followed]
    warming = asyncio.create_task(application.warm_up())
    stopping = asyncio.create_task(stop.wait())
    try:
        while not all(one.started for one in servers):
            await asyncio.sleep(0.01)
        started()
        await until_stopped(warming, stopping)
    finally:
        for one in servers:
            one.should_exit = True
        await asyncio.gather(*running)
        for task in (*looking, warming, stopping):
            task.cancel()
        await asyncio.gather(*looking, warming, stopping, return_exceptions=True)
        await application.close()


async def until_stopped(warming: asyncio.Task[None], stopping: asyncio.Task[bool]) -> None:
    """Wait for the end; raises what warming up raises as soon as it does."""
    await asyncio.wait({warming, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if warming.done():
        warming.result()
    await stopping


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set ``stop`` on SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
