"""vLLM's ``/score`` (pairs) and ``/rerank`` (its own, where the texts are called ``documents``).

Shapes from vLLM's pooling protocol. A pair of lists of one length is scored pair by pair, one text against a list as
that text with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from es_rerank.core.scores import sigmoid
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
    ranked,
    read,
)

_MAX_LENGTH = 1024
_TYPES = {
    "unauthorized": "AuthenticationError",
    "unknown": "NotFoundError",
    "overloaded": "RateLimitError",
    "loading": "ServiceUnavailableError",
    "failed": "InternalServerError",
}
_SIDES = (("text_1", "text_2"), ("queries", "documents"), ("queries", "items"), ("data_1", "data_2"))

Several = str | list[str]
Length = Annotated[int, Meta(ge=-1, le=MOST_TOKENS)]


class ScoreRequest(Body, frozen=True):
    """Pairs, under any of their names."""

    text_1: Several | None = None
    text_2: Several | None = None
    queries: Several | None = None
    documents: Several | None = None
    items: Several | None = None
    data_1: Several | None = None
    data_2: Several | None = None
    model: str = ""
    truncate_prompt_tokens: Length | None = None
    use_activation: bool | None = None


class RerankRequest(Body, frozen=True):
    """A query with documents."""

    query: str
    documents: list[str | Text]
    model: str = ""
    top_n: int = 0
    truncate_prompt_tokens: Length | None = None
    use_activation: bool | None = None


def _length(given: int | None) -> int:
    """-1: as much as the model reads."""
    if given is None:
        return _MAX_LENGTH
    return MOST_TOKENS if given == -1 else max(given, 16)


class Score:
    """``/score`` and ``/v1/score``."""

    shape = ScoreRequest

    def parse(self, body: bytes) -> tuple[Asked, ...] | Refusal:
        """Read pairs under any of their names."""
        given = read(body, ScoreRequest)
        if isinstance(given, Refusal):
            return given
        sides = next((pair for pair in _SIDES if all(getattr(given, name) is not None for name in pair)), None)
        if sides is None:
            return Refusal("invalid", "text_1 and text_2 (or queries and documents) are needed")
        left, right = (_listed(getattr(given, name)) for name in sides)
        if len(left) not in {1, len(right)}:
            return Refusal("invalid", f"{len(left)} and {len(right)} texts make no pairs; send one or as many")
        groups = [(left[0], right)] if len(left) == 1 else [(one, [other]) for one, other in zip(left, right, strict=True)]
        raw, length = given.use_activation is False, _length(given.truncate_prompt_tokens)
        for query, texts in groups:
            fault = checked(query, texts, None)
            if fault is not None:
                return fault
        return tuple(
            Asked(query, tuple(texts), raw_scores=raw, max_length=length, model=given.model) for query, texts in groups
        )

    def answer(self, asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:
        """Scores in the order of the pairs."""
        data: list[dict[str, Any]] = []
        for one, scores in zip(asked, found, strict=True):
            logits = [logit for logit in scores.logits if logit is not None]  # all of them: see ``lacking``
            values = logits if one.raw_scores else map(sigmoid, logits)
            data += [{"object": "score", "score": value} for value in values]
        model = asked[0].model or stamp.model
        told = {"id": f"score-{stamp.identity}", "object": "list", "created": stamp.created, "model": model}
        numbered = [{"index": place, **entry} for place, entry in enumerate(data)]
        return msgspec.json.encode({**told, "data": numbered, "usage": _usage(found)})

    def error(self, refusal: Refusal) -> tuple[int, bytes]:
        """OpenAI's shape."""
        return _error(refusal)


class Rerank:
    """vLLM's own ``/rerank``."""

    shape = RerankRequest

    def parse(self, body: bytes) -> tuple[Asked, ...] | Refusal:
        """Read a request; ``top_n`` 0 is all."""
        given = read(body, RerankRequest)
        if isinstance(given, Refusal):
            return given
        texts = plain(given.documents)
        fault = checked(given.query, texts, given.top_n or None)
        if fault is not None:
            return fault
        raw, length = given.use_activation is False, _length(given.truncate_prompt_tokens)
        return (Asked(given.query, texts, given.top_n or None, True, raw, max_length=length, model=given.model),)

    def answer(self, asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:
        """Results with their documents."""
        (one,), (scores,) = asked, found
        results: list[dict[str, Any]] = [
            {"index": place, "document": {"text": one.texts[place]}, "relevance_score": score}
            for place, score in ranked(one, scores)
        ]
        told = {"id": f"rerank-{stamp.identity}", "model": one.model or stamp.model, "usage": _usage(found)}
        return msgspec.json.encode({**told, "results": results})

    def error(self, refusal: Refusal) -> tuple[int, bytes]:
        """OpenAI's shape."""
        return _error(refusal)


def _listed(given: Several) -> list[str]:
    return [given] if isinstance(given, str) else given


def _usage(found: Sequence[Found]) -> dict[str, int]:
    total = sum(scores.tokens for scores in found)
    return {"prompt_tokens": total, "total_tokens": total}


def _error(refusal: Refusal) -> tuple[int, bytes]:
    status = STATUSES[refusal.kind]
    kind = _TYPES.get(refusal.kind, "BadRequestError")
    return status, msgspec.json.encode({"error": {"message": refusal.said, "type": kind, "param": None, "code": status}})


score, rerank = Score(), Rerank()
