"""Hits whose places the request itself fixes: ``pinned`` as the outermost query or retriever.

Their ids stand in the request, so they are known in the answer: Elasticsearch puts them first, in the order of the ids,
and there they stay. Anywhere deeper, or with ids that lie on the server (``rule``), places cannot be told from hits.
Source: the pinned query and retriever of elastic/elasticsearch (``PinnedQueryBuilder``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from es_rerank.search.answer import FirstStage, Hit

Pin = tuple[str | None, str]
"""Concrete index (None: any) and id."""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str = msgspec.field(name="_id")
    index: str | None = msgspec.field(default=None, name="_index")


class _Pins(msgspec.Struct, frozen=True):
    ids: list[str] = []
    docs: list[_Document] = []


def outermost(tree: dict[str, Any]) -> dict[str, Any] | None:
    """The body of a ``pinned`` query or retriever that stands outermost; None where there is none."""
    for place in ("query", "retriever"):
        found = tree.get(place)
        if isinstance(found, dict) and list(found) == ["pinned"] and isinstance(found["pinned"], dict):
            return found["pinned"] if _pins(found["pinned"]) else None
    return None


def pins(tree: dict[str, Any]) -> tuple[Pin, ...]:
    """Whose places a search fixes."""
    body = outermost(tree)
    return () if body is None else _pins(body)


def _pins(body: dict[str, Any]) -> tuple[Pin, ...]:
    """Ids or documents; none where the body is not well formed."""
    try:
        found = msgspec.convert({name: body[name] for name in ("ids", "docs") if name in body}, _Pins)
    except msgspec.ValidationError:
        return ()
    return (*((None, identity) for identity in found.ids), *((one.index, one.id) for one in found.docs))


def held(stage: FirstStage, fixed: Sequence[Pin]) -> int:
    """How many hits at the head of an answer stay where they are."""
    known = frozenset(fixed)
    return next((place for place, hit in enumerate(stage.hits) if not _is_pinned(stage, hit, known)), len(stage.hits))


def _is_pinned(stage: FirstStage, hit: Hit, known: frozenset[Pin]) -> bool:
    identity = stage.raw(hit, "_id")
    return isinstance(identity, str) and not known.isdisjoint({(None, identity), (hit.index, identity)})
