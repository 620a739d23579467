"""``POST /rerank`` as Hugging Face's Text Embeddings Inference has it (its OpenAPI, 1.9.3).

Four fields more are taken: ``deadline_ms`` (what is scored by then is answered, the rest is left out), ``max_length``,
``index`` and ``weight``; an answer's entry may say ``truncated``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from es_rerank.dialects.asked import MOST_TOKENS, Asked, Body, Found, Refusal, Stamp, checked, ranked, read

_ERRORS = {
    "empty": (400, "empty"),
    "invalid": (422, "validation"),
    "too-long": (413, "validation"),
    "unauthorized": (401, "unauthorized"),
    "unknown": (404, "validation"),
    "overloaded": (429, "overloaded"),
    "loading": (503, "unhealthy"),
    "failed": (424, "backend"),
}


class TeiRequest(Body, frozen=True):
    """What a request holds."""

    query: str
    texts: list[str]
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False
    deadline_ms: Annotated[float, Meta(gt=0, le=600_000)] = 60_000
    max_length: Annotated[int, Meta(ge=16, le=MOST_TOKENS)] = 512
    index: str = ""
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1.0


class _Rank(msgspec.Struct, frozen=True, omit_defaults=True):
    index: int
    score: float
    text: str | None = None
    truncated: bool = False


shape = TeiRequest


def parse(body: bytes) -> tuple[Asked, ...] | Refusal:
    """Read a request; an empty query is one like any other here."""
    given = read(body, TeiRequest)
    if isinstance(given, Refusal):
        return given
    fault = checked(given.query or "?", given.texts, None)
    if fault is not None:
        return fault
    return (
        Asked(
            given.query,
            tuple(given.texts),
            return_texts=given.return_text,
            raw_scores=given.raw_scores,
            truncate=given.truncate,
            max_length=given.max_length,
            deadline_ms=given.deadline_ms,
            index=given.index,
            weight=given.weight,
            partial=True,
        ),
    )


def answer(asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:  # noqa: ARG001  a bare list here
    """A list, best first."""
    (one,), (scores,) = asked, found
    cut = scores.truncated or (False,) * len(one.texts)
    return msgspec.json.encode(
        [
            _Rank(place, score, one.texts[place] if one.return_texts else None, cut[place])
            for place, score in ranked(one, scores)
        ]
    )


def error(refusal: Refusal) -> tuple[int, bytes]:
    """TEI's own statuses and kinds."""
    status, kind = _ERRORS[refusal.kind]
    return status, msgspec.json.encode({"error": refusal.said, "error_type": kind})
