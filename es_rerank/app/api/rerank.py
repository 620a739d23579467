"""The model as a service for everything else: the rerank APIs that other tools speak, over one scorer.

The same queue, caches and limits as the proxy's own work. Where two systems share a path, the request's own words decide
whose it is. A caller who hangs up is dropped from the queue. Shapes and error shapes are the dialects' own.
"""

from __future__ import annotations

import asyncio
import hmac
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response

from es_rerank import __version__
from es_rerank.app.model import Model
from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.dialects import cohere, elastic, jina, tei, vllm
from es_rerank.dialects.asked import MOST_TEXTS, STATUSES, Asked, Dialect, Found, Refusal, Stamp, lacking
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp

_MOST_BYTES = 64 * 1024**2

Choose = Callable[[bytes], Dialect]


class Served(NamedTuple):
    """One path: whose request it is, who may be meant, and a summary."""

    path: str
    choose: Choose
    dialects: tuple[Dialect, ...]
    summary: str


DIALECTS = (
    Served(
        "/rerank",
        lambda body: tei if b'"texts"' in body else vllm.rerank,
        (tei, vllm.rerank),
        "Text Embeddings Inference; with `documents`, vLLM",
    ),
    Served(
        "/v1/rerank",
        lambda body: jina if jina.speaks(body) else cohere.v1,
        (jina, cohere.v1),
        "Jina where the model is named so, else Cohere 1",
    ),
    Served("/v2/rerank", lambda _: cohere.v2, (cohere.v2,), "Cohere 2"),
    Served("/score", lambda _: vllm.score, (vllm.score,), "vLLM: scores of pairs"),
    Served("/v1/score", lambda _: vllm.score, (vllm.score,), "vLLM: scores of pairs"),
    Served("/_inference/rerank/{inference_id}", lambda _: elastic, (elastic,), "Elasticsearch's inference API"),
)


def router(model: Model, api_key: str | None = None, only: Sequence[str] | None = None) -> APIRouter:
    """The routes, over a model that may still be loading; ``only`` some paths."""
    routes = APIRouter(tags=["rerank"])
    for path, choose, dialects, summary in DIALECTS:
        if only is None or path in only:
            endpoint = _endpoint(model, choose, api_key)
            routes.add_api_route(path, endpoint, methods=["POST"], summary=summary, openapi_extra=_described(dialects))

    @routes.get("/info", summary="What is served, as Text Embeddings Inference says it")
    def info() -> dict[str, object]:
        state = model.readiness
        told = {"model_id": state.model, "device": state.device, "pairs_per_s": state.pairs_per_s, "version": __version__}
        return {**told, "max_client_batch_size": MOST_TEXTS, "model_type": {"reranker": {}}, "ready": state.ready}

    return routes


def _described(dialects: Sequence[Dialect]) -> dict[str, Any]:
    """What OpenAPI says of a path: its body's shapes, and the statuses of its errors."""
    shapes = [_inlined(msgspec.json.schema(dialect.shape)) for dialect in dialects]
    content = {"application/json": {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}}
    statuses = {status for dialect in dialects for status in {dialect.error(Refusal(kind, ""))[0] for kind in STATUSES}}
    errors = {str(status): {"description": "in the dialect's own shape"} for status in sorted(statuses)}
    return {"requestBody": {"required": True, "content": content}, "responses": errors}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its definitions in their places: names of several systems must not meet in one document."""
    named = schema.get("$defs", {})

    def resolved(node: Any) -> Any:  # noqa: ANN401  JSON
        if isinstance(node, list):
            return [resolved(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolved(named[node["$ref"].rpartition("/")[2]])
        return {key: resolved(value) for key, value in node.items()}

    found: dict[str, Any] = resolved({key: value for key, value in schema.items() if key != "$defs"})
    return found


def _endpoint(model: Model, choose: Choose, api_key: str | None) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        dialect = choose(body or b"")
        if not _may(request, api_key):
            return _refused(dialect, Refusal("unauthorized", "the API key is missing or wrong"))
        if body is None:
            return _refused(dialect, Refusal("invalid", f"the body is larger than {_MOST_BYTES} bytes"))
        asked = dialect.parse(body)
        if isinstance(asked, Refusal):
            return _refused(dialect, asked)
        try:
            scored = await _unless_gone(request, model, asked)
        except ScorerError as exc:
            return _refused(dialect, _fault(exc))
        if scored is None:
            return Response(status_code=499)
        found = [Found(one.logits, one.truncated, one.tokens) for one in scored]
        missing = next(filter(None, map(lacking, asked, found)), None)
        if missing is not None:
            return _refused(dialect, missing)
        stamp = Stamp(uuid.uuid4().hex, int(time.time()), model.readiness.model)
        queued_s, model_s = (max(getattr(one, name) for one in scored) for name in ("queued_s", "model_s"))
        timing = f"queue;dur={queued_s * 1000:.3f}, model;dur={model_s * 1000:.3f}"
        answer = dialect.answer(asked, found, stamp)
        return Response(answer, media_type="application/json", headers={"Server-Timing": timing})

    return endpoint


async def _body(request: Request) -> bytes | None:
    """The request's body; None: it is too large."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > _MOST_BYTES:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _may(request: Request, api_key: str | None) -> bool:
    """Whether the key is right: ``Authorization: Bearer`` (or ``ApiKey``) or ``X-API-Key``; none is asked for by default."""
    if api_key is None:
        return True
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "apikey"}:
        given = request.headers.get("x-api-key", "")
    return hmac.compare_digest(given.strip().encode(), api_key.encode())


async def _unless_gone(request: Request, model: Model, asked: Sequence[Asked]) -> list[Scored] | None:
    """Score; None where the caller has hung up meanwhile, whose pairs are then dropped."""
    scoring = asyncio.ensure_future(_scored(model, asked))
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({scoring, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return scoring.result() if scoring.done() else None
    finally:
        for task in (scoring, leaving):
            task.cancel()
        await asyncio.gather(scoring, leaving, return_exceptions=True)


async def _scored(model: Model, asked: Sequence[Asked]) -> list[Scored]:
    now = asyncio.get_running_loop().time()
    jobs = [
        ScoringJob(one.query, one.texts, one.max_length, now + one.deadline_ms / 1000, one.index, one.weight)
        for one in asked
    ]
    return await asyncio.gather(*map(model.scorer.score, jobs))


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _refused(dialect: Dialect, refusal: Refusal) -> Response:
    status, body = dialect.error(refusal)
    return Response(body, status, media_type="application/json")


def _fault(exc: ScorerError) -> Refusal:
    if isinstance(exc, ScorerBusy):
        return Refusal("overloaded", str(exc))
    return Refusal("loading" if isinstance(exc, ScorerWarmingUp) else "failed", str(exc))
