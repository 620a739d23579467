"""With the model dead, stalled or absent, every search is answered: 1,000 of them on 32 connections."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from es_rerank.scoring.backend import TextBackend
from tests.fakes import FaultyBackend
from tests.real.engines import Engine
from tests.real.library import fill
from tests.running import POLICY, proxy
from tests.wire import ask

pytestmark = pytest.mark.engines

SNOW = {"query": {"match": {"title": "snow"}}, "size": 5}


def thousand(engine: Engine, url: str) -> Counter[str]:
    """Ask on 32 connections at once; every answer is 200 with the engine's own hits. Counts what the header said."""
    expected = ask(engine.url, "POST", "/books/_search", SNOW).json()["hits"]

    def one(_: int) -> str:
        got = ask(url, "POST", "/books/_search", SNOW)
        assert got.status == 200
        assert got.json()["hits"] == expected
        return got.header("x-rerank") or ""

    with ThreadPoolExecutor(32) as pool:
        return Counter(pool.map(one, range(1000)))


@pytest.mark.parametrize(("fault", "reason"), [("raises", "scorer-error"), ("nan", "non-finite"), ("stalls", "timeout")])
def test_a_dead_or_stalled_model(nine: Engine, fault: str, reason: str) -> None:
    """The header says why; once the breaker is open the model is left alone."""
    fill(nine)
    backend = FaultyBackend()
    policy = POLICY.replace("timeout_ms: 3000", "timeout_ms: 100")
    with proxy(nine.url, backend, policy) as running:
        backend.fault = fault
        told = thousand(nine, running.url)
        backend.released.set()
    assert told["fell-back;reason=breaker-open"] > 800
    reasons = {header.split(";")[1] for header in told}
    assert f"reason={reason}" in reasons
    assert reasons <= {f"reason={reason}", "reason=breaker-open", "reason=timeout", "reason=queue-full"}


def test_an_absent_model(nine: Engine) -> None:
    """While it is still being loaded."""
    fill(nine)
    gate = threading.Event()

    def load() -> TextBackend:
        gate.wait(120)
        return FaultyBackend()

    told: list[Counter[str]] = []

    def meanwhile(url: str) -> None:
        told.append(thousand(nine, url))
        gate.set()

    with proxy(nine.url, load=load, meanwhile=meanwhile) as running:
        assert told[0] == Counter({"fell-back;reason=warming-up;window=50;scored=0": 1000})
        assert ask(running.url, "POST", "/books/_search", SNOW).header("x-rerank") == "reranked;window=50;scored=50"
