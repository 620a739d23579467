"""Many searches at once, short ones among long ones, the same one again; and what a rerank costs beside the model."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from typing import Any

import aiohttp

from bench.engine.peers import PLACE, environment
from bench.engine.report import Row
from bench.engine.texts import ROOT, mix
from es_rerank.app.model import settle
from es_rerank.core.policy import IndexPolicy, PassagePolicy
from es_rerank.core.ports import ScoringJob, UpstreamRequest, UpstreamResponse
from es_rerank.core.resolve import Resolved
from es_rerank.scoring import engine
from es_rerank.scoring.backend import Backend, Prepared
from es_rerank.scoring.batcher import Batcher
from es_rerank.scoring.warmup import BATCH_S, apart, measure
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.stages import Stages
from es_rerank.telemetry.metrics import Metrics
from tests.builders import answer, hit
from tests.fakes import FakeUpstream

CLIENTS = 64
_ROUNDS = 3
_SCORER, _INFINITY = "http://127.0.0.1:19503", "http://127.0.0.1:19504"


class Timed:
    """A backend whose batches are timed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.device = backend.name, backend.device
        self.spent: list[float] = []

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        return self._backend.prepare(query, passages, max_length)

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        begun = time.perf_counter()
        found = self._backend.score(batch)
        self.spent.append(time.perf_counter() - begun)
        return found


class Instant:
    """No model at all: what is left is everything else."""

    name, device = "instant", "cpu"
    _keys = count()

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        return [Prepared(place, 1, next(self._keys).to_bytes(8, "little")) for place, _ in enumerate(passages)]

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        return [float(hash(prepared.key) % 97) for prepared in batch]


def rows(model: str, scaled: tuple[float, str], *, quick: bool) -> list[Row]:
    """All rows on ``model``, a small one with true weights; ``scaled``: what bounds that assume AMX are multiplied by, and why."""
    searches = [[f"{number} {text}" for _, text in mix("natural", 8 if quick else 20)] for number in range(CLIENTS)]
    found = asyncio.run(_own(model, searches))
    gc.unfreeze()
    return [*found, *asyncio.run(_against_infinity(model, searches, *scaled))]


@asynccontextmanager
async def _batching(backend: Backend, cached: int = 0) -> AsyncIterator[Batcher]:
    batcher = Batcher(max_batch_tokens=16_384, max_queued_pairs=10**6, observer=Metrics(), cached_scores=cached)
    batcher.attach([backend], apart(partial(measure, backend)))
    yield batcher
    batcher.close()


def _job(query: str, passages: Sequence[str]) -> ScoringJob:
    return ScoringJob(query, tuple(passages), 256, asyncio.get_running_loop().time() + 3600, "books")


async def _own(model: str, searches: list[list[str]]) -> list[Row]:
    backend = Timed(apart(lambda: engine.load(model)[0]))
    settle()
    pairs = sum(map(len, searches))
    async with _batching(backend) as batcher:
        rounds = []
        for turn in range(_ROUNDS):
            begun = time.perf_counter()
            apart(partial(_offline, backend, searches, turn, batcher.batch_tokens))
            between = time.perf_counter()
            await _clients(searches, lambda number, texts, turn=turn: batcher.score(_job(f"c{turn} {number}", texts)))  # type: ignore[misc]
            rounds.append((pairs / (time.perf_counter() - between), pairs / (between - begun)))
        served, offline = sorted(rounds, key=lambda rates: rates[0] / rates[1])[_ROUNDS // 2]
        backend.spent.clear()
        waits = await _short_among_long(batcher)
        batch = statistics.median(backend.spent)
    rare = sorted(waits)[min(int(len(waits) * 0.99), len(waits) - 1)]
    note = f"{rare * 1000:.0f} ms, a batch takes {batch * 1000:.0f} ms (bound {BATCH_S * 1000:.0f})"
    return [
        Row(
            f"{CLIENTS} concurrent searches: throughput over the same pairs offline",
            served / offline,
            0.9,
            0.97,
            note=f"{served:.0f} and {offline:.0f} pairs/s, median of {_ROUNDS} rounds",
        ),
        Row(f"a short search while {CLIENTS} long ones run: p99 wait, in batches", rare / batch, 2, 1, most=True, note=note),
        await _again(backend, searches[0]),
        await _beside(),
    ]


def _offline(backend: Backend, searches: list[list[str]], turn: int, budget: int) -> None:
    """All pairs at once, as somebody would who has nobody waiting."""
    group: list[Prepared] = []
    used = 0
    for number, texts in enumerate(searches):
        for pair in backend.prepare(f"o{turn} {number}", texts, 256):
            if used + pair.cost > budget:
                backend.score(group)
                group, used = [], 0
            group.append(pair)
            used += pair.cost
    backend.score(group)


async def _clients(searches: list[list[str]], ask: Callable[[int, list[str]], Awaitable[object]]) -> None:
    """Every client asks, waits, and asks the next."""
    left = iter(list(enumerate(searches)))

    async def client() -> None:
        for number, texts in left:
            await ask(number, texts)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _short_among_long(batcher: Batcher) -> list[float]:
    """Seconds that searches of ten hits waited for their first batch, while long ones of a hundred never end."""
    texts = [text for _, text in mix("natural", 100)]
    stop = asyncio.Event()

    async def long(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            await batcher.score(_job(f"long {number} {turn}", texts))

    running = [asyncio.ensure_future(long(number)) for number in range(CLIENTS)]
    await asyncio.sleep(1)
    waits = [(await batcher.score(_job(f"short {number}", texts[:10]))).queued_s for number in range(100)]
    stop.set()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return waits


async def _again(backend: Timed, texts: list[str]) -> Row:
    async with _batching(backend, cached=10_000) as batcher:
        backend.spent.clear()
        first = await batcher.score(_job("again", texts))
        once = sum(backend.spent)
        backend.spent.clear()
        begun = time.perf_counter()
        second = await batcher.score(_job("again", texts))
        whole = time.perf_counter() - begun
    equal = "byte-equal" if first.logits == second.logits else "NOT equal"
    ratio = once / max(sum(backend.spent), 1e-6) if first.logits == second.logits else 0.0
    return Row(
        "the same search again: model time of the first over that of the second",
        ratio,
        50,
        None,
        note=f"{len(backend.spent)} batches the second time, {whole * 1000:.2f} ms in all; {equal}",
    )


async def _beside() -> Row:
    """A whole search through the service, with an upstream and a model that take no time.

    The median of the quickest of several rounds: other programs' work on the machine only adds to it.
    """
    data = answer([hit(str(place), 30 - place / 10, _source={"title": "words of text " * 140}) for place in range(100)])
    upstream = FakeUpstream(lambda _: UpstreamResponse(200, ((b"Content-Type", b"application/json"),), data))
    policy = IndexPolicy(indices=("books",), passage=PassagePolicy(fields=("title",)))
    async with _batching(Instant()) as batcher:
        clock = time.monotonic
        service = SearchService(
            upstream, Stages(batcher, clock, Breaker(clock), Widening(clock)), lambda: [policy], clock, Enrolment()
        )
        rounds = sorted([await _round(service, turn) for turn in range(5)])
    return Row(
        "everything of a rerank outside Elasticsearch, tokenising and the model, 100 hits of 2 KB, ms",
        rounds[0],
        3,
        1,
        most=True,
        note=f"medians of {len(rounds)} rounds: {rounds[0]:.2f} to {rounds[-1]:.2f}",
    )


async def _round(service: SearchService, turn: int) -> float:
    """Milliseconds that a search takes in the median of two hundred."""
    found = route.parse("POST", b"/books/_search")
    assert found is not None
    spent = []
    for number in range(200):
        body = json.dumps({"query": {"match": {"title": f"snow {turn} {number}"}}, "size": 10}).encode()
        begun = time.perf_counter()
        covered = service.covers(found)
        assert isinstance(covered, Resolved)
        request = UpstreamRequest("POST", b"/books/_search", ((b"content-type", b"application/json"),), body)
        served = await service.search(request, (), found, covered)
        spent.append((time.perf_counter() - begun) * 1000)
        assert served.disposition.scored == 100
    return statistics.median(spent)


async def _against_infinity(model: str, searches: list[list[str]], scale: float, why: str) -> list[Row]:
    """The same searches over HTTP, from 64 clients, to our scorer process and to infinity-emb's server."""
    name = f"{CLIENTS} concurrent searches over HTTP: against infinity-emb's server"
    python = environment("infinity", ("infinity-emb[torch,server]", "click<8.2"), alone=True)
    if isinstance(python, str):
        return [Row(name, None, note=python)]
    program = str(python.with_name("infinity_emb"))
    theirs = [
        program,
        "v2",
        "--model-id",
        model,
        "--engine",
        "torch",
        "--device",
        "cpu",
        "--port",
        "19504",
        "--no-bettertransformer",
        "--batch-size",
        "32",
    ]
    ours = [sys.executable, "-m", "es_rerank", "scorer", "--model", model, "--listen", "127.0.0.1:19503"]
    rates = {}
    for label, command, url in (("es-rerank", ours, _SCORER), ("infinity", theirs, _INFINITY)):
        try:
            with _server(label, command, url):
                await _over_http(url, label, searches[:8])
                begun = time.perf_counter()
                await _over_http(url, label, searches)
                rates[label] = sum(map(len, searches)) / (time.perf_counter() - begun)
        except (RuntimeError, aiohttp.ClientError) as fault:
            return [Row(name, None, note=f"{label}: {fault}")]
    return [
        Row(
            name,
            rates["es-rerank"] / rates["infinity"],
            max(3 * scale, 1.0),
            max(10 * scale, 1.0),
            note=f"{rates['es-rerank']:.0f} and {rates['infinity']:.0f} pairs/s; {why}",
        )
    ]


async def _over_http(url: str, label: str, searches: list[list[str]]) -> None:
    served = _served_name() if label == "infinity" else ""
    connector, limit = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(600)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as session:

        async def ask(number: int, texts: list[str]) -> None:
            query = f"{label} {number} {len(searches)}"
            body: dict[str, Any] = {
                "query": query,
                "texts": texts,
                "truncate": True,
                "max_length": 256,
                "deadline_ms": 600_000,
            }
            if label == "infinity":
                body = {"model": served, "query": query, "documents": texts}
            async with session.post(f"{url}/rerank", json=body) as response:
                if response.status != 200:
                    raise RuntimeError(f"{label} answered {response.status}: {(await response.text())[:200]}")
                await response.read()

        await _clients(searches, ask)


def _served_name() -> str:
    with urllib.request.urlopen(f"{_INFINITY}/models", timeout=10) as found:
        return str(json.load(found)["data"][0]["id"])


@contextmanager
def _server(label: str, command: list[str], url: str) -> Iterator[None]:
    """A server until the block ends; raises RuntimeError where it does not become ready."""
    with (PLACE / f"{label}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"})
        try:
            end = time.monotonic() + 120
            while not _answers(f"{url}/health"):
                if time.monotonic() > end or process.poll() is not None:
                    raise RuntimeError(f"the server did not become ready, see {log.name}")
                time.sleep(0.3)
            yield
        finally:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False
