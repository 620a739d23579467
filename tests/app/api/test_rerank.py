"""The rerank APIs over one scorer: whose request it is, the key, errors, a caller who leaves."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from es_rerank.app.api.rerank import DIALECTS, router
from es_rerank.app.model import Model
from es_rerank.app.scorer import build_scorer
from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.scoring.texts import Texts
from es_rerank.telemetry.metrics import Metrics
from tests.fakes import FaultyBackend

Served = tuple[httpx.AsyncClient, FaultyBackend, Model]
TEXTS = ["a", "b", "c"]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    backend, metrics = FaultyBackend(), Metrics()
    model = Model(Settings(scorer="fake"), Readiness(), metrics, lambda: [Texts(backend)])
    api: FastAPI = build_scorer(model, metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://scorer") as client:
        yield client, backend, model
    await model.close()


def over(model: Model, api_key: str | None = None) -> httpx.AsyncClient:
    api = FastAPI()
    api.include_router(router(model, api_key))
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://api")


async def _asked(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/rerank", json={"query": "q", **body})


def best_first(backend: FaultyBackend) -> list[tuple[int, float]]:
    logits = backend.score([("q", text) for text in TEXTS], 512)
    return sorted(enumerate(logits), key=lambda entry: -entry[1])


async def test_ranks(served: Served) -> None:
    """Best first; a sigmoid unless raw scores are asked for; the text where it is wanted."""
    client, backend, model = served
    await model.warm_up()
    expected = best_first(backend)
    raw = (await _asked(client, texts=TEXTS, raw_scores=True, return_text=True)).json()
    assert raw == [{"index": place, "score": logit, "text": TEXTS[place]} for place, logit in expected]
    plain = await _asked(client, texts=TEXTS)
    assert [rank["score"] for rank in plain.json()] == pytest.approx([1 / (1 + math.exp(-logit)) for _, logit in expected])
    assert "queue;dur=" in plain.headers["server-timing"]


async def test_errors(served: Served) -> None:
    """Not ready, nothing to score, unreadable, too long, failed."""
    client, backend, model = served
    assert (await client.get("/health")).status_code == 503
    assert (await _asked(client, texts=["a"])).status_code == 503
    await model.warm_up()
    assert (await client.get("/health")).status_code == 200
    assert (await client.get("/info")).json()["ready"] is True
    for body, status, kind in (
        ({"texts": []}, 400, "empty"),
        ({"texts": "a"}, 422, "validation"),
        ({"texts": ["a"], "deadline_ms": -1}, 422, "validation"),
        ({"texts": ["long " * 9000]}, 413, "validation"),
    ):
        found = await _asked(client, **body)
        assert (found.status_code, found.json()["error_type"]) == (status, kind)
    assert (await _asked(client, texts=["long " * 9000], truncate=True)).json()[0]["truncated"] is True
    backend.fault = "raises"
    found = await _asked(client, texts=["b"])
    assert (found.status_code, found.json()) == (424, {"error": "RuntimeError: the model has died", "error_type": "backend"})
    assert b"es_rerank_ready 1.0" in (await client.get("/metrics")).content


ASKED: list[tuple[str, dict[str, Any], str]] = [
    ("/rerank", {"query": "q", "texts": TEXTS}, ""),
    ("/rerank", {"query": "q", "documents": TEXTS}, "results"),
    ("/v1/rerank", {"query": "q", "documents": TEXTS, "model": "jina-reranker-v2-base-multilingual"}, "results"),
    ("/v1/rerank", {"query": "q", "documents": TEXTS, "model": "rerank-v3.5"}, "results"),
    ("/v2/rerank", {"query": "q", "documents": TEXTS}, "results"),
    ("/score", {"text_1": "q", "text_2": TEXTS}, "data"),
    ("/v1/score", {"queries": "q", "documents": TEXTS}, "data"),
    ("/_inference/rerank/any", {"query": "q", "input": TEXTS}, "rerank"),
]


@pytest.mark.parametrize(("path", "body", "under"), ASKED, ids=lambda value: value if isinstance(value, str) else None)
async def test_every_dialect(served: Served, path: str, body: dict[str, Any], under: str) -> None:
    """The same scores in each; only vLLM's pairs keep their order."""
    _, backend, model = served
    await model.warm_up()
    async with over(model) as client:
        answer = await client.post(path, json=body)
        found = answer.json()[under] if under else answer.json()
    assert answer.status_code == 200
    expected = [(place, 1 / (1 + math.exp(-logit))) for place, logit in best_first(backend)]
    expected = sorted(expected) if under == "data" else expected
    assert [(entry["index"], entry.get("score", entry.get("relevance_score"))) for entry in found] == [
        (place, pytest.approx(score)) for place, score in expected
    ]


async def test_who_is_asked_at_a_shared_path(served: Served) -> None:
    """Jina echoes documents and counts tokens; Cohere says what it would have billed."""
    _, _, model = served
    await model.warm_up()
    async with over(model) as client:
        jina, cohere = [(await client.post(path, json=body)).json() for path, body, _ in ASKED[2:4]]
    assert jina["usage"]["total_tokens"] >= 0
    assert "document" in jina["results"][0]
    assert cohere["meta"] == {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}}
    assert "document" not in cohere["results"][0]


@pytest.mark.parametrize(
    "line",
    [{"Authorization": "Bearer s3cret"}, {"Authorization": "ApiKey s3cret"}, {"X-API-Key": "s3cret"}],
    ids=["bearer", "apikey", "x-api-key"],
)
async def test_the_key(served: Served, line: dict[str, str]) -> None:
    """Asked for on every path where one is set; refused in the dialect's own shape."""
    _, _, model = served
    await model.warm_up()
    async with over(model, "s3cret") as client:
        for path, body, _ in ASKED:
            assert (await client.post(path, json=body, headers=line)).status_code == 200
            for wrong in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Basic s3cret"}):
                assert (await client.post(path, json=body, headers=wrong)).status_code == 401
        refused = (await client.post("/v2/rerank", json={}, headers={"Authorization": "Bearer other"})).json()
        assert refused == {"message": "the API key is missing or wrong"}
        elastic = (await client.post("/_inference/rerank/x", json={})).json()
        assert elastic["error"]["type"] == "security_exception"


async def test_a_body_that_is_too_large(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said so, not read to its end."""
    _, _, model = served
    await model.warm_up()
    monkeypatch.setattr("es_rerank.app.api.rerank._MOST_BYTES", 10)
    async with over(model) as client:
        found = await client.post("/v2/rerank", json={"query": "q", "documents": TEXTS})
    assert (found.status_code, found.json()) == (400, {"message": "the body is larger than 10 bytes"})


async def test_a_caller_who_leaves(served: Served) -> None:
    """Their pairs are dropped; nobody else waits for them."""
    _, backend, model = served
    await model.warm_up()
    api = FastAPI()
    api.include_router(router(model))
    backend.released.clear()
    backend.fault = "stalls"
    arrived = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not arrived.is_set():
            arrived.set()
            return {"type": "http.request", "body": b'{"query":"q","texts":["a"]}', "more_body": False}
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/rerank", "raw_path": b"/rerank", "query_string": b"", "headers": []}
    await asyncio.wait_for(api(scope | {"app": api}, receive, send), 5)
    backend.fault = ""
    backend.released.set()
    assert sent[0]["status"] == 499


def test_openapi_lists_them(served: Served) -> None:
    """With a summary each."""
    api = FastAPI()
    api.include_router(router(served[2]))
    paths = api.openapi()["paths"]
    for served_at in DIALECTS:
        told = paths[served_at.path]["post"]
        assert told["summary"] == served_at.summary
        assert {"401", "429"} <= told["responses"].keys()
    schema = paths["/v2/rerank"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["query", "documents"]
    both = paths["/rerank"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [shape["required"] for shape in both] == [["query", "texts"], ["query", "documents"]]
    assert "$ref" not in str(paths["/v1/rerank"])
