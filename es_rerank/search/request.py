"""Parameters and body → SearchCall, or why the search is left alone.

Reads where Elasticsearch reads: the body (or ``source``) first, then URL parameters overwrite it. A ``from`` or ``size``
that is not a plain non-negative integer is not ours to repair: widening would hide the 400 that it deserves. Does not
look into queries, and knows no policy.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search.headers import is_json
from es_rerank.search.route import SearchRoute

MAX_RESULT_WINDOW = 10_000
"""``index.max_result_window``'s default: beyond it the 400 belongs to the client."""

MAX_OBJECTS = 10_000
"""Opening braces in a body that is walked; one with more passes through. Elasticsearch takes some 1,000 clauses."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class SearchCall(msgspec.Struct, frozen=True):
    """One search as Elasticsearch will understand it.

    ``body`` is the JSON text and ``held_in`` where it travels; ``tree`` is the same decoded. ``size`` is None where the
    client gave none. ``body_size`` is what the body itself says (kNN without ``k`` takes it), else 10.
    """

    route: SearchRoute
    body: bytes | None
    held_in: Literal["body", "source", "nowhere"]
    tree: dict[str, Any]
    start: int
    size: int | None
    body_size: int

    def parameter(self, name: str) -> str | None:
        """A URL parameter as Elasticsearch sees it."""
        return self.route.parameter(name)


def parse(route: SearchRoute, content_type: bytes | None, body: bytes | None) -> SearchCall | Passthrough:
    """Read one search; ``body`` is decoded from its content coding, None or empty where there is none."""
    held_in: Literal["body", "source", "nowhere"] = "body" if body else "nowhere"
    source = route.parameter("source")
    if source is not None or route.parameter("source_content_type") is not None:
        kind = (route.parameter("source_content_type") or "").encode("latin-1", "replace")
        if body or source is None or not is_json(kind):
            return Passthrough(Reason.UNSUPPORTED)
        body, held_in = source.encode("utf-8", "surrogatepass"), "source"
    elif body and not is_json(content_type):
        return Passthrough(Reason.NOT_JSON)
    if body and body.count(b"{") > MAX_OBJECTS:
        return Passthrough(Reason.UNSUPPORTED)
    if route.parameter("format") not in {None, "", "json"}:
        return Passthrough(Reason.NOT_JSON)
    tree = decode(body) if body else {}
    if tree is None:
        return Passthrough(Reason.NOT_JSON)
    start, size = _count(route, tree, "from"), _count(route, tree, "size")
    if start == "odd" or size == "odd":
        return Passthrough(Reason.UNSUPPORTED)
    body_size = tree.get("size", 10)
    return SearchCall(route, body or None, held_in, tree, start or 0, size, body_size)


def decode(body: bytes) -> dict[str, Any] | None:
    """Decode a JSON object; None for anything that is not strict JSON, or not an object."""
    try:
        tree = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict) else None


def _count(route: SearchRoute, tree: dict[str, Any], name: str) -> int | Literal["odd"] | None:
    """``from`` or ``size``: the URL beats the body, yet both have to be plain, since Elasticsearch reads both."""
    inside = tree.get(name, 0)
    if type(inside) is not int or not 0 <= inside <= 10**9:
        return "odd"
    text = route.parameter(name)
    if text is None:
        return inside if name in tree else None
    return int(text) if _NUMBER.fullmatch(text) else "odd"
