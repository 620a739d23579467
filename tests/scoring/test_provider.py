"""Scorers behind other systems' APIs: our own server speaks four of them; a stub fails as hosted ones do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from es_rerank.app.api.rerank import router
from es_rerank.app.model import Model
from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.core.ports import ScoringJob
from es_rerank.dialects.providers import ProviderName
from es_rerank.errors import ScorerBusy, ScorerError
from es_rerank.scoring.budget import Budget
from es_rerank.scoring.provider import ProviderScorer
from es_rerank.scoring.texts import Texts
from es_rerank.telemetry.metrics import Metrics
from tests.fakes import ShufflingBackend
from tests.stubs import Stub, stub, whole

TEXTS = tuple(f"text {place}" for place in range(70))


def job(*texts: str, seconds: float = 20) -> ScoringJob:
    return ScoringJob("q", texts, 512, asyncio.get_running_loop().time() + seconds)


def logits(texts: tuple[str, ...]) -> list[float]:
    return ShufflingBackend().score([("q", text) for text in texts], 512)


@asynccontextmanager
async def own_server(key: str) -> AsyncIterator[str]:
    """Our rerank APIs on a port."""
    model = Model(Settings(scorer="fake"), Readiness(), Metrics(), lambda: [Texts(ShufflingBackend())])
    await model.warm_up()
    api = FastAPI()
    api.include_router(router(model, key))
    server = uvicorn.Server(uvicorn.Config(api, port=0, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running
    await model.close()


@pytest.mark.parametrize("name", ["tei", "vllm", "cohere", "jina"])
async def test_against_a_server_that_speaks_it(name: ProviderName) -> None:
    """The same order, the same logits as far as shares carry them; several requests where one takes few texts."""
    async with own_server("k") as url:
        scorer = ProviderScorer(name, (url,), model=f"{name}-model", key="k", most=32)
        scored = await scorer.score(job(*TEXTS))
        assert list(scored.logits) == pytest.approx(logits(TEXTS), abs=1e-4)
        info = await scorer.info()
        assert not isinstance(info, str)
        assert (info.model_id, info.device) == (f"{name}-model", name)
        await scorer.close()
        stranger = ProviderScorer(name, (url,), key="other")
        with pytest.raises(ScorerError, match="answered 401"):
            await stranger.score(job("a"))
        assert "answered 401" in str(await stranger.info())
        await stranger.close()


def answered(request: bytes, score: Callable[[str], float] = lambda text: float(len(text))) -> bytes:
    documents = json.loads(request.partition(b"\r\n\r\n")[2])["documents"]
    results = [{"index": place, "relevance_score": score(text)} for place, text in enumerate(documents)]
    return whole("200 OK", ["Content-Type: application/json"], json.dumps({"results": results}).encode())


@asynccontextmanager
async def against(answer: Callable[[bytes], Iterator[bytes]], **more: Any) -> AsyncIterator[tuple[Stub, ProviderScorer]]:
    with stub(answer) as server:
        scorer = ProviderScorer("infinity", (server.url,), model="m", **more)
        yield server, scorer
        await scorer.close()


async def test_large_jobs_are_split() -> None:
    """In first-stage order, with the model's name and the key."""
    async with against(lambda request: iter([answered(request)]), most=3, key="k") as (server, scorer):
        found = await scorer.score(job("a", "bb", "ccc", "dddd", "eeeee", "ffffff", "g"))
    assert found.logits == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0)
    asked = sorted((json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests), key=str)
    assert sorted(len(one["documents"]) for one in asked) == [1, 3, 3]
    assert {one["model"] for one in asked} == {"m"}
    assert all(b"authorization: bearer k\r\n" in request.lower() for request in server.requests)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_faults_that_pass(status: str) -> None:
    """Are tried again."""
    left = [whole(status, ["Retry-After: 0"], b"later")]

    def answer(request: bytes) -> Iterator[bytes]:
        yield left.pop() if left else answered(request)

    async with against(answer) as (server, scorer):
        assert (await scorer.score(job("a"))).logits == (1.0,)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "fault"),
    [("429 Too Many Requests", ScorerBusy), ("500 Internal Server Error", ScorerError), ("400 Bad Request", ScorerError)],
)
async def test_faults_that_stay(status: str, fault: type[Exception]) -> None:
    """Are told; a request that is wrong is not sent again, others as often as the budget allows."""
    async with against(lambda _: iter([whole(status, [], b"no")])) as (server, scorer):
        scorer._retries = Budget(burst=2)
        with pytest.raises(fault, match="answered"):
            await scorer.score(job("a"))
        assert len(server.requests) == (1 if status.startswith("400") else 3)


async def test_what_failed_in_part() -> None:
    """Is left out; the rest is scored."""

    def answer(request: bytes) -> Iterator[bytes]:
        yield whole("400 Bad Request", [], b"no") if b'"bad"' in request else answered(request)

    async with against(answer, most=1) as (_, scorer):
        assert (await scorer.score(job("a", "bad", "cc"))).logits == (1.0, None, 2.0)


async def test_what_comes_too_late() -> None:
    """Is left out, too."""
    async with against(lambda _: iter([b""])) as (_, scorer):
        assert (await scorer.score(job("a", "b", seconds=0.1))).logits == (None, None)
        assert isinstance(await asyncio.wait_for(silent(scorer), 1), str)


async def silent(scorer: ProviderScorer) -> object:
    scorer._addresses.all[0].base = "http://127.0.0.1:1"
    scorer._retries = Budget(burst=0)
    return await scorer.info()


async def test_nobody_there() -> None:
    """Told after the budget is used up."""
    scorer = ProviderScorer("infinity", ("http://127.0.0.1:1",))
    scorer._retries = Budget(burst=1)
    with pytest.raises(ScorerError, match="cannot be reached"):
        await scorer.score(job("a"))
    assert repr(scorer) == "<ProviderScorer infinity at http://127.0.0.1:1>"
    await scorer.close()
