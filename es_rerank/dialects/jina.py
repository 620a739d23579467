"""Jina's ``POST /v1/rerank``: documents as strings or objects, echoed unless that is not wanted, tokens counted.

Cohere's older version has the same path: :func:`speaks` tells them apart. Errors are ``{"detail": …}``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from es_rerank.dialects.asked import STATUSES, Asked, Body, Found, Refusal, Stamp, Text, checked, plain, read, results

_MAX_LENGTH = 1024
"""What jina-reranker-v2-base-multilingual reads of a pair."""


class JinaRequest(Body, frozen=True):
    """What a request holds."""

    query: str | Text
    documents: list[str | Text]
    model: str = ""
    top_n: int | None = None
    return_documents: bool = True


class _Model(Body, frozen=True):
    model: str = ""


def speaks(body: bytes) -> bool:
    """Whether a request at the shared path is Jina's: its model is named so."""
    given = read(body, _Model)
    return not isinstance(given, Refusal) and "jina" in given.model.lower()


shape = JinaRequest


def parse(body: bytes) -> tuple[Asked, ...] | Refusal:
    """Read a request."""
    given = read(body, JinaRequest)
    if isinstance(given, Refusal):
        return given
    (query,), texts = plain([given.query]), plain(given.documents)
    fault = checked(query, texts, given.top_n)
    if fault is not None:
        return fault
    return (Asked(query, texts, given.top_n, given.return_documents, max_length=_MAX_LENGTH, model=given.model),)


def answer(asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:
    """Results with the tokens that were read."""
    (one,), (scores,) = asked, found
    usage = {"total_tokens": scores.tokens}
    return msgspec.json.encode(
        {"id": stamp.identity, "model": one.model or stamp.model, "usage": usage, "results": results(one, scores)}
    )


def error(refusal: Refusal) -> tuple[int, bytes]:
    """What is wrong, under ``detail``."""
    status = 422 if refusal.kind in {"empty", "invalid"} else STATUSES[refusal.kind]
    return status, msgspec.json.encode({"detail": refusal.said})
