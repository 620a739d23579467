"""The shape of Text Embeddings Inference: answers, errors, statuses."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from es_rerank.app.model import Model
from es_rerank.app.scorer import build_scorer
from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.scoring.texts import Texts
from es_rerank.telemetry.metrics import Metrics
from tests.fakes import FaultyBackend


@pytest.fixture
async def served() -> AsyncIterator[tuple[httpx.AsyncClient, FaultyBackend, Model]]:
    backend, metrics = FaultyBackend(), Metrics()
    model = Model(Settings(scorer="fake"), Readiness(), metrics, lambda: [Texts(backend)])
    api: FastAPI = build_scorer(model, metrics)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://scorer") as client:
        yield client, backend, model
    await model.close()


Served = tuple[httpx.AsyncClient, FaultyBackend, Model]


async def _asked(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/rerank", json={"query": "q", **body})


async def test_ranks(served: Served) -> None:
    """Best first; a sigmoid unless raw scores are asked for; the text where it is wanted."""
    client, backend, model = served
    await model.warm_up()
    logits = backend.score([("q", text) for text in "abc"], 512)
    best = sorted(range(3), key=lambda place: -logits[place])
    raw = (await _asked(client, texts=list("abc"), raw_scores=True, return_text=True)).json()
    assert raw == [{"index": place, "score": logits[place], "text": "abc"[place]} for place in best]
    plain = await _asked(client, texts=list("abc"))
    assert [rank["score"] for rank in plain.json()] == pytest.approx([1 / (1 + math.exp(-logits[place])) for place in best])
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
