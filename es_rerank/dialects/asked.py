"""What every dialect comes down to: queries with texts, scores, and why not.

A dialect is a module with ``parse``, ``answer`` and ``error`` (see :class:`Dialect`). Does not score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from es_rerank.core.scores import sigmoid

MOST_TEXTS = 10_000
"""Texts in one request; Cohere's own limit, and far more than any search sends."""

MOST_TOKENS = 8192
"""What BGE-Reranker-v2-m3 can read of a pair."""

Kind = Literal["empty", "invalid", "too-long", "unauthorized", "unknown", "overloaded", "loading", "failed"]
STATUSES: dict[Kind, int] = {
    "empty": 400,
    "invalid": 400,
    "too-long": 400,
    "unauthorized": 401,
    "unknown": 404,
    "overloaded": 429,
    "loading": 503,
    "failed": 500,
}
"""The usual status of each; a dialect may have another."""


class Asked(msgspec.Struct, frozen=True):
    """Score ``texts`` for ``query``; the ``top_n`` best are wanted (None: all).

    ``truncate`` False: a text that the model cannot see as a whole is an error. ``max_length`` counts tokens of query and
    text together. ``index`` and ``weight`` share the queue, as those of a policy do. ``partial``: an answer
    without the texts that were not scored before the deadline is welcome.
    """

    query: str
    texts: tuple[str, ...]
    top_n: int | None = None
    return_texts: bool = False
    raw_scores: bool = False
    truncate: bool = True
    max_length: int = 1024
    deadline_ms: float = 60_000
    index: str = ""
    weight: float = 1.0
    model: str = ""
    partial: bool = False


class Found(msgspec.Struct, frozen=True):
    """Logits in the order of the texts (None: not scored in time), whether each was cut, tokens read in all."""

    logits: tuple[float | None, ...]
    truncated: tuple[bool, ...] = ()
    tokens: int = 0


class Stamp(msgspec.Struct, frozen=True):
    """What an answer says of itself: an id, the time in seconds since 1970, the model's name."""

    identity: str
    created: int
    model: str


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    kind: Kind
    said: str


class Body(msgspec.Struct, frozen=True):
    """A request's body; keys that are not known are ignored, as these systems do."""


Shape = TypeVar("Shape", bound=Body)


class Dialect(Protocol):
    """One system's words; ``shape`` is that of its request's body."""

    @property
    def shape(self) -> type[Body]:
        """The Struct that a body is read into."""
        ...

    def parse(self, body: bytes) -> tuple[Asked, ...] | Refusal:
        """Read a request: one query with its texts, or several."""
        ...

    def answer(self, asked: Sequence[Asked], found: Sequence[Found], stamp: Stamp) -> bytes:
        """Write the answer to what :meth:`parse` read."""
        ...

    def error(self, refusal: Refusal) -> tuple[int, bytes]:
        """Status and body."""
        ...


def lacking(asked: Asked, found: Found) -> Refusal | None:
    """What is missing in the scores for them to be an answer."""
    late = sum(logit is None for logit in found.logits)
    if late and not asked.partial:
        return Refusal("overloaded", f"{late} of {len(asked.texts)} texts could not be scored in time")
    if any(logit is not None and not math.isfinite(logit) for logit in found.logits) and not asked.partial:
        return Refusal("failed", "the model gave a score that is no number")
    if any(found.truncated) and not asked.truncate:
        return Refusal("too-long", f"a text is longer than {asked.max_length} tokens; set truncate to true")
    return None


def ranked(asked: Asked, found: Found) -> list[tuple[int, float]]:
    """(place, score), best first, ties in the order of the texts; a text without a logit is left out.

    Scores are logits where raw ones are asked for, else their sigmoid, in [0, 1].
    """
    known = [(place, logit) for place, logit in enumerate(found.logits) if logit is not None and math.isfinite(logit)]
    best = sorted(known, key=lambda entry: (-entry[1], entry[0]))[: asked.top_n]
    return [(place, logit if asked.raw_scores else sigmoid(logit)) for place, logit in best]


def results(asked: Asked, found: Found) -> list[dict[str, Any]]:
    """Results as Cohere and Jina have them, best first, with their document where it is wanted."""
    entries: list[dict[str, Any]] = []
    for place, score in ranked(asked, found):
        entries.append({"index": place, "relevance_score": score})
        if asked.return_texts:
            entries[-1]["document"] = {"text": asked.texts[place]}
    return entries


def read(body: bytes, shape: type[Shape]) -> Shape | Refusal:
    """Decode a request's body; what is wrong is said with its place."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as exc:  # not JSON, not this shape, or not UTF-8
        return Refusal("invalid", str(exc))


def checked(query: str, texts: Sequence[str], top_n: int | None) -> Refusal | None:
    """What is wrong with the parts that every dialect has."""
    if not query.strip():
        return Refusal("empty", "query is empty")
    if not texts:
        return Refusal("empty", "there are no documents")
    if len(texts) > MOST_TEXTS:
        return Refusal("invalid", f"{len(texts)} documents; at most {MOST_TEXTS} can be sent at once")
    if top_n is not None and top_n < 1:
        return Refusal("invalid", f"top_n is {top_n}; it has to be 1 or more")
    return None


class Text(msgspec.Struct, frozen=True):
    """A document as an object."""

    text: str


def plain(documents: Sequence[str | Text]) -> tuple[str, ...]:
    """Documents, strings or objects, as strings."""
    return tuple(document if isinstance(document, str) else document.text for document in documents)
