"""Elasticsearch's answer → where its hits stand, and what was wrong with it.

Only the members of the answer, of ``hits`` and of each hit are located; a ``_source`` stays bytes. An answer that is not
strict JSON (a ``_source`` may hold comments), or not shaped like a search answer, is refused, not repaired.
"""

from __future__ import annotations

from typing import cast

import msgspec

from es_rerank.errors import AnswerUnreadable
from es_rerank.search import spans
from es_rerank.search.spans import Member, Span


class Hit(msgspec.Struct, frozen=True):
    """One hit: where it stands, its members, its concrete index and its own score."""

    span: Span
    members: dict[str, Member]
    index: str
    score: float


class FirstStage(msgspec.Struct, frozen=True):
    """A search answer taken apart. ``hits`` are in first-stage order.

    ``partial``: some shard failed or time ran out, so hits may be missing.
    """

    data: bytes
    top: dict[str, Member]
    inner: dict[str, Member]
    hits: tuple[Hit, ...]
    partial: bool

    def raw(self, hit: Hit, name: str) -> object:
        """Decode one member of a hit; None where it is missing. Raises AnswerUnreadable."""
        member = hit.members.get(name)
        try:
            return None if member is None else spans.value(self.data, member.value)
        except ValueError as exc:
            raise AnswerUnreadable(f"a hit's {name} cannot be read") from exc


def read(data: bytes) -> FirstStage:
    """Take a 200 apart; raises AnswerUnreadable."""
    try:
        return _read(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        msg = f"not a search answer that can be rewritten: {type(exc).__name__}"
        raise AnswerUnreadable(msg) from exc


def _read(data: bytes) -> FirstStage:
    top = spans.members(data)
    inner = spans.members(data, top["hits"].value)
    names: dict[bytes, str] = {}
    hits = tuple([_hit(data, span, names) for span in spans.elements(data, inner["hits"].value)])
    shards = cast("dict[str, int]", spans.value(data, top["_shards"].value))
    timed_out = spans.value(data, top["timed_out"].value)
    return FirstStage(data, top, inner, hits, partial=shards["failed"] > 0 or timed_out is not False)


def _hit(data: bytes, span: Span, names: dict[bytes, str]) -> Hit:
    """One hit; ``names``: indices that were met before, as the answer spells them. Raises ValueError without a score."""
    members = spans.members(data, span)
    start, end = members["_index"].value
    spelt = data[start:end]
    index = names.get(spelt)
    if index is None:
        index = names[spelt] = msgspec.json.decode(spelt, type=str)
    start, end = members["_score"].value
    return Hit(span, members, index, float(data[start:end]))
