"""A whole proxy in a thread of this process, for the demo and for tests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from es_rerank.app.build import Application
from es_rerank.app.serve import serve


class Running:
    """Addresses of a running proxy, and the application behind them."""

    def __init__(
        self,
        application: Application,
        proxy_socket: socket.socket,
        api_socket: socket.socket,
        events_socket: socket.socket | None = None,
    ) -> None:
        self.application = application
        scheme = "http" if application.settings.tls_cert is None else "https"
        self.url = _url(scheme, proxy_socket)
        self.api = _url(scheme, api_socket)
        self.events = _url(scheme, events_socket) if events_socket else ""


def _url(scheme: str, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@contextlib.contextmanager
def running(
    application: Application,
    proxy_socket: socket.socket,
    api_socket: socket.socket,
    events_socket: socket.socket | None = None,
) -> Iterator[Running]:
    """Serve until the block ends; the model is warm when it begins. Raises what serving raises."""
    warm, faults = threading.Event(), list[BaseException]()
    hold: dict[str, Any] = {}

    async def run() -> None:
        hold["stop"], hold["loop"] = asyncio.Event(), asyncio.get_running_loop()
        application.when_ready(warm.set)
        await serve(application, proxy_socket, api_socket, hold["stop"], events_socket=events_socket)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as exc:  # noqa: BLE001  handed to the other thread
            faults.append(exc)
        finally:
            warm.set()

    found = Running(application, proxy_socket, api_socket, events_socket)
    thread = threading.Thread(target=work, name="es-rerank-proxy")
    thread.start()
    try:
        warm.wait()
        if not faults:
            yield found
    finally:
        if not faults and thread.is_alive():
            hold["loop"].call_soon_threadsafe(hold["stop"].set)
        thread.join()
    if faults:
        raise faults[0]
