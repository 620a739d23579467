"""A real proxy on real ports, in a thread of the test process, over any upstream and any backend."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from es_rerank.app.build import Application
from es_rerank.app.serve import listener, serve
from es_rerank.config.settings import Settings
from es_rerank.scoring.backend import Backend
from es_rerank.scoring.fake import FakeBackend

POLICY = """\
indices: ["books*", "many", "vectors*"]
rank_window_size: 50
window_max: 500
passage: {fields: [title, text]}
timeout_ms: 3000
"""


class Running:
    """Addresses of a running proxy, and the application behind them."""

    def __init__(self, application: Application, proxy_port: int, api_port: int) -> None:
        self.application = application
        self.url = f"http://127.0.0.1:{proxy_port}"
        self.api = f"http://127.0.0.1:{api_port}"


@contextlib.contextmanager
def proxy(
    upstream: str, backend: Backend | None = None, policy: str | dict[str, str] = POLICY, **settings: Any
) -> Iterator[Running]:
    """Run a proxy until the block ends; it is warm when the block begins."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in ({"policy.yaml": policy} if isinstance(policy, str) else policy).items():
            (Path(folder) / name).write_text(text)
        given: dict[str, Any] = {"upstream": upstream, "config": Path(folder), "scorer": "fake", "shutdown_s": 1}
        application = Application(Settings(**(given | settings)), lambda: backend or FakeBackend())
        proxy_socket, api_socket = listener("127.0.0.1:0", "--listen"), listener("127.0.0.1:0", "--api")
        ports = proxy_socket.getsockname()[1], api_socket.getsockname()[1]
        started = threading.Event()
        faults: list[BaseException] = []
        hold: dict[str, Any] = {}

        async def run() -> None:
            hold["stop"], hold["loop"] = asyncio.Event(), asyncio.get_running_loop()
            await serve(application, proxy_socket, api_socket, hold["stop"], started.set)

        def work() -> None:
            try:
                asyncio.run(run())
            except BaseException as exc:  # noqa: BLE001  handed to the test
                faults.append(exc)
                started.set()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            started.wait(60)
            running = Running(application, *ports)
            _until_ready(running, faults)
            yield running
        finally:
            if not faults:
                hold["loop"].call_soon_threadsafe(hold["stop"].set)
            thread.join(20)
            if faults:
                raise faults[0]


def _until_ready(running: Running, faults: list[BaseException]) -> None:
    while not running.application.readiness.ready:
        if faults:
            raise faults[0]
        httpx.get(f"{running.api}/readyz")
