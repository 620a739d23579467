"""Elasticsearch's ``POST /_inference/rerank/{inference_id}`` (8.14 and newer; errors in Elasticsearch's envelope)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from es_rerank.dialects.asked import STATUSES, Asked, Body, Found, Refusal, Stamp, checked, ranked, read

_MAX_LENGTH = 1024
_TYPES = {
    "unauthorized": "security_exception",
    "unknown": "resource_not_found_exception",
    "overloaded": "es_rejected_execution_exception",
}


class _Settings(Body, frozen=True):
    return_documents: bool | None = None
    top_n: int | None = None


class ElasticRequest(Body, frozen=True):
    """What a request holds."""

    query: str
    input: str | list[str]
    top_n: int | None = None
    return_documents: bool | None = None
    task_settings: _Settings = _Settings()


shape = ElasticRequest


def parse(body: bytes) -> tuple[Asked, ...] | Refusal:
    """Read a request; what the task's settings say counts where the request itself is silent."""
    given = read(body, ElasticRequest)
    if isinstance(given, Refusal):
        return given
    texts = (given.input,) if isinstance(given.input, str) else tuple(given.input)
    top_n = given.task_settings.top_n if given.top_n is None else given.top_n
    echoed = given.task_settings.return_documents if given.return_documents is None else given.return_documents
    fault = checked(given.query, texts, top_n)
    return fault or (Asked(given.query, texts, top_n, bool(echoed), max_length=_MAX_LENGTH),)


def answer(asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:  # noqa: ARG001  says nothing of itself
    """``rerank``, best first."""
    (one,), (scores,) = asked, found
    entries: list[dict[str, Any]] = []
    for place, score in ranked(one, scores):
        entries.append({"index": place, "relevance_score": score})
        if one.return_texts:
            entries[-1]["text"] = one.texts[place]
    return msgspec.json.encode({"rerank": entries})


def error(refusal: Refusal) -> tuple[int, bytes]:
    """Elasticsearch's envelope."""
    status = STATUSES[refusal.kind]
    fallback = "status_exception" if status >= 500 else "validation_exception"  # noqa: PLR2004  ours or theirs
    cause = {"type": _TYPES.get(refusal.kind, fallback), "reason": refusal.said}
    return status, msgspec.json.encode({"error": {"root_cause": [cause], **cause}, "status": status})
