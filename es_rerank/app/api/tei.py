"""``POST /rerank`` as Hugging Face's Text Embeddings Inference has it, over our own scorer.

Four fields more are taken: ``deadline_ms`` (what is scored by then is answered, the rest is left out), ``max_length``,
``index`` and ``weight`` (shares of the queue). A caller who hangs up is dropped from the queue. Errors have TEI's shape
and statuses.
"""

from __future__ import annotations

import asyncio
import math
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta

from es_rerank import __version__
from es_rerank.app.model import Model
from es_rerank.core.ports import Scored, ScoringJob
from es_rerank.errors import ScorerBusy, ScorerError, ScorerWarmingUp

MOST_TEXTS = 10_000


class Asked(msgspec.Struct, frozen=True):
    """The body of ``POST /rerank``."""

    query: str
    texts: Annotated[list[str], Meta(max_length=MOST_TEXTS)]
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False
    deadline_ms: Annotated[float, Meta(gt=0, le=600_000)] = 60_000
    max_length: Annotated[int, Meta(ge=16, le=8192)] = 512
    index: str = ""
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1.0


class Rank(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text of the answer."""

    index: int
    score: float
    text: str | None = None
    truncated: bool = False


def router(model: Model) -> APIRouter:
    """The routes, over a model that may still be loading."""
    routes = APIRouter()

    @routes.post("/rerank", summary="Score texts for a query")
    async def rerank(request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await request.body(), type=Asked)
        except msgspec.DecodeError as exc:
            return _error(422, "validation", str(exc))
        if not asked.texts:
            return _error(400, "empty", "texts is empty")
        try:
            scored = await _unless_gone(request, model, asked)
        except ScorerError as exc:
            return _error(*_fault(exc), str(exc))
        if scored is None:
            return Response(status_code=499)
        if any(scored.truncated) and not asked.truncate:
            return _error(413, "validation", f"a text is longer than {asked.max_length} tokens; set truncate to true")
        timing = f"queue;dur={scored.queued_s * 1000:.3f}, model;dur={scored.model_s * 1000:.3f}"
        body = msgspec.json.encode(_ranks(asked, scored))
        return Response(body, media_type="application/json", headers={"Server-Timing": timing})

    @routes.get("/info", summary="What is served")
    def info() -> dict[str, object]:
        state = model.readiness
        told = {"model_id": state.model, "device": state.device, "pairs_per_s": state.pairs_per_s, "version": __version__}
        return {**told, "max_client_batch_size": MOST_TEXTS, "model_type": {"reranker": {}}, "ready": state.ready}

    return routes


async def _unless_gone(request: Request, model: Model, asked: Asked) -> Scored | None:
    """Score; None where the caller has hung up meanwhile, whose pairs are then dropped."""
    deadline = asyncio.get_running_loop().time() + asked.deadline_ms / 1000
    job = ScoringJob(asked.query, tuple(asked.texts), asked.max_length, deadline, asked.index, asked.weight)
    scoring = asyncio.ensure_future(model.scorer.score(job))
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({scoring, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return scoring.result() if scoring.done() else None
    finally:
        for task in (scoring, leaving):
            task.cancel()
        await asyncio.gather(scoring, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _ranks(asked: Asked, scored: Scored) -> list[Rank]:
    """Best first; a text without a logit is left out, as is one whose logit is no number."""
    known = [(place, logit) for place, logit in enumerate(scored.logits) if logit is not None and math.isfinite(logit)]
    truncated = scored.truncated or (False,) * len(scored.logits)
    return [
        Rank(
            place,
            logit if asked.raw_scores else 1 / (1 + math.exp(-max(min(logit, 700), -700))),
            asked.texts[place] if asked.return_text else None,
            truncated[place],
        )
        for place, logit in sorted(known, key=lambda entry: (-entry[1], entry[0]))
    ]


def _error(status: int, kind: str, said: str) -> Response:
    body = msgspec.json.encode({"error": said, "error_type": kind})
    return Response(body, status, media_type="application/json")


def _fault(exc: ScorerError) -> tuple[int, str]:
    """Status and kind, in TEI's words."""
    if isinstance(exc, ScorerBusy):
        return 429, "overloaded"
    return (503, "unhealthy") if isinstance(exc, ScorerWarmingUp) else (424, "backend")
