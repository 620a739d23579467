"""Cohere's rerank API: ``POST /v2/rerank`` and, with documents as objects and echoed ones, ``POST /v1/rerank``.

Shapes from Cohere's published OpenAPI; errors are ``{"message": …}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from es_rerank.dialects.asked import (
    MOST_TOKENS,
    STATUSES,
    Asked,
    Body,
    Found,
    Refusal,
    Stamp,
    Text,
    checked,
    plain,
    read,
    results,
)

_UNIT = 100
"""Documents in one search unit."""

_DEFAULT_TOKENS = 4096
"""``max_tokens_per_doc`` where none is given."""


class CohereRequest(Body, frozen=True):
    """What a request holds, in both versions."""

    query: str
    documents: list[str | Text]
    model: str = ""
    top_n: int | None = None
    max_tokens_per_doc: Annotated[int, Meta(ge=1)] = _DEFAULT_TOKENS
    return_documents: bool = False


class Cohere:
    """One version of it."""

    shape = CohereRequest

    def __init__(self, version: Literal["1", "2"]) -> None:
        self._version = version

    def parse(self, body: bytes) -> tuple[Asked, ...] | Refusal:
        """Read a request; version 2 has documents as strings only, and echoes none."""
        given = read(body, CohereRequest)
        if isinstance(given, Refusal):
            return given
        old = self._version == "1"
        if not old and not all(isinstance(document, str) for document in given.documents):
            return Refusal("invalid", "documents have to be strings")
        texts = plain(given.documents)
        fault = checked(given.query, texts, given.top_n)
        if fault is not None:
            return fault
        length = max(min(given.max_tokens_per_doc, MOST_TOKENS), 16)
        return (
            Asked(given.query, texts, given.top_n, old and given.return_documents, max_length=length, model=given.model),
        )

    def answer(self, asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:
        """Results with what would have been billed."""
        (one,), (scores,) = asked, found
        told: dict[str, Any] = {"version": self._version}
        if self._version == "2":
            told["is_experimental"] = False
        units = -(-len(one.texts) // _UNIT)
        meta = {"api_version": told, "billed_units": {"search_units": units}}
        return msgspec.json.encode({"id": stamp.identity, "results": results(one, scores), "meta": meta})

    def error(self, refusal: Refusal) -> tuple[int, bytes]:
        """Cohere says what is wrong in one word of its own: ``message``."""
        return STATUSES[refusal.kind], msgspec.json.encode({"message": refusal.said})


v1, v2 = Cohere("1"), Cohere("2")
