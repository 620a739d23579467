"""Real engines, started once for the whole run, all at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.real.engines import KINDS, Engine, Missing

REQUIRED = os.environ.get("ES_RERANK_REQUIRE_ENGINES") == "1"
ALL = [*KINDS, "embedded"]
ELASTICSEARCH = ["elasticsearch-9", "elasticsearch-8", "elasticsearch-7"]


class Engines:
    """Starts what is asked for, and everything else beside it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(len(ALL))
        self._started: dict[str, Future[Engine]] = {}
        self.running: list[Engine] = []

    def start_all(self) -> None:
        """Begin to start every engine."""
        for kind in ALL:
            if kind not in self._started:
                self._started[kind] = self._pool.submit(self._start, kind)

    def _start(self, kind: str) -> Engine:
        engine = Engine(kind).launch()
        self.running.append(engine)
        return engine.wait()

    def get(self, kind: str) -> Engine:
        """A running engine; skips (or fails, where engines are required) with one line where it cannot be had."""
        self.start_all()
        try:
            return self._started[kind].result()
        except Missing as exc:
            if REQUIRED:
                pytest.fail(f"{kind} is required: {exc}")
            pytest.skip(f"left out, {kind}: {exc}")

    def stop(self) -> None:
        """End them all."""
        self._pool.shutdown(wait=True)
        for engine in self.running:
            engine.stop()


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """All engines."""
    found = Engines()
    yield found
    found.stop()


@pytest.fixture(scope="session", params=ALL)
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """Each engine in turn, the embedded server among them."""
    return engines.get(request.param)


@pytest.fixture(scope="session", params=list(KINDS))
def server(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """Each engine that is a real Elasticsearch or OpenSearch."""
    return engines.get(request.param)


@pytest.fixture(scope="session", params=["elasticsearch-9", "elasticsearch-8"])
def modern(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """The engines with kNN sections and retrievers."""
    return engines.get(request.param)


@pytest.fixture(scope="session")
def nine(engines: Engines) -> Engine:
    """Elasticsearch 9 alone, for what needs to be seen once."""
    return engines.get("elasticsearch-9")
