"""Newline-delimited searches: a body → its items, the items of an answer, and both put together again.

An item is two lines, header and search. Elasticsearch decides by the endpoint, not by the media type, and so does this;
what it would refuse, or read differently from engine to engine (a blank first line), is left alone as a whole. Lines
that are not meant to change keep every byte. Does not plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.errors import AnswerUnreadable
from es_rerank.search import spans
from es_rerank.search.request import decode
from es_rerank.search.route import SearchRoute
from es_rerank.search.spans import Span

MAX_ITEMS = 1_000
"""Searches of one request that are looked at one by one; a request of more passes through as it came."""

_BOM = b"\xef\xbb\xbf"


class Item(msgspec.Struct, frozen=True):
    """One search: its two lines as they came, without the line ends, and what the header says."""

    header: bytes
    body: bytes
    said: dict[str, Any]

    @property
    def lines(self) -> bytes:
        """The item as it came."""
        return self.header + b"\n" + self.body + b"\n"

    def with_body(self, body: bytes) -> bytes:
        """The item with another search in it."""
        return self.header + b"\n" + body + b"\n"

    def route(self, whole: SearchRoute) -> SearchRoute:
        """Where this search goes: its own index, or that of the whole request, with the request's parameters."""
        given = self.said.get("index", self.said.get("indices"))
        named = ",".join(map(str, given)) if isinstance(given, list) else given
        return SearchRoute(str(named) if named else whole.expression, whole.parameters, whole.endpoint)


def parse(body: bytes) -> tuple[Item, ...] | Passthrough:
    """Read the items; what is not plainly a list of searches passes through."""
    lines = body.split(b"\n")
    if lines[-1].strip() or not lines[0].strip() or body.startswith(_BOM):
        return Passthrough(Reason.UNSUPPORTED)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) % 2 or len(lines) > 2 * MAX_ITEMS:
        return Passthrough(Reason.UNSUPPORTED)
    items = []
    for header, search in zip(lines[::2], lines[1::2], strict=True):
        said = decode(header) if header.strip() else {}
        if said is None or not search.strip():
            return Passthrough(Reason.NOT_JSON)
        items.append(Item(header, search, said))
    return tuple(items)


class Answer(msgspec.Struct, frozen=True):
    """An answer taken apart: where each item of ``responses`` stands, and the request's own ``took``."""

    data: bytes
    items: tuple[Span, ...]
    took: Span | None

    def item(self, place: int) -> bytes:
        """The bytes of one item."""
        start, end = self.items[place]
        return self.data[start:end]


def read(data: bytes, count: int) -> Answer:
    """Take a 200 apart; raises AnswerUnreadable, also where it does not hold ``count`` items."""
    try:
        top = spans.members(data)
        found = tuple(spans.elements(data, top["responses"].value))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        msg = f"not an msearch answer: {type(exc).__name__}"
        raise AnswerUnreadable(msg) from exc
    if len(found) != count:
        msg = f"{len(found)} answers to {count} searches"
        raise AnswerUnreadable(msg)
    return Answer(data, found, top["took"].value if "took" in top else None)


def status(item: bytes) -> int:
    """How one item fared: its own ``status``; an item without one (before 6.x) is good unless it holds an error."""
    try:
        members = spans.members(item)
        told = spans.value(item, members["status"].value) if "status" in members else None
    except (ValueError, TypeError, RecursionError):
        return 0
    if isinstance(told, int):
        return told
    return 500 if "error" in members else 200


def join(answer: Answer, changed: Mapping[int, bytes], added_ms: int) -> bytes:
    """The whole answer with other items in some places; ``took`` grows by ``added_ms``."""
    edits = {answer.items[place]: new for place, new in changed.items()}
    if answer.took is not None:
        took = spans.value(answer.data, answer.took)
        edits[answer.took] = b"%d" % (took + added_ms if isinstance(took, int) else added_ms)
    return spans.replace(answer.data, edits)
