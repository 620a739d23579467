"""Raw request target → endpoint, index expression and parameters.

Its law: the target is never re-encoded; what is decoded here is only looked at. A path is split while it is still
encoded, because the ``/`` of date math travels as ``%2F`` inside one segment (rule R1). Everything that is not exactly
the path of a search is left alone: ``/i/_doc/_search`` is a document, ``/i/_search/x`` is nothing. Which searches there
are, and which of them are reranked, stands in the table of ``docs/elasticsearch.md``.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, unquote_to_bytes

import msgspec

Parameters = tuple[tuple[str, str], ...]
Endpoint = Literal["search", "msearch", "template", "msearch_template", "async_search", "typed"]
"""Ways to search whose answer holds ranked hits of a query; ``typed``: ``/{index}/{type}/_search`` of Elasticsearch 7."""

MANY: frozenset[Endpoint] = frozenset({"msearch", "msearch_template"})
"""Requests that hold many searches."""

_TAILS: dict[tuple[bytes, ...], Endpoint] = {
    (b"_search",): "search",
    (b"_msearch",): "msearch",
    (b"_search", b"template"): "template",
    (b"_msearch", b"template"): "msearch_template",
    (b"_async_search",): "async_search",
}


class SearchRoute(msgspec.Struct, frozen=True):
    """The target of a search. ``expression`` is the decoded index expression, None where none is named.

    ``parameters`` are decoded and in their order; of equal names Elasticsearch takes the last.
    """

    expression: str | None
    parameters: Parameters
    endpoint: Endpoint = "search"

    def parameter(self, name: str) -> str | None:
        """The value that Elasticsearch uses for a parameter; None: not given."""
        found = [value for key, value in self.parameters if key == name]
        return found[-1] if found else None

    def without_page(self) -> SearchRoute:
        """The same without ``from`` and ``size``, which a search by template loses."""
        kept = tuple((name, value) for name, value in self.parameters if name not in {"from", "size"})
        return SearchRoute(self.expression, kept, self.endpoint)


def parse(method: str, target: bytes) -> SearchRoute | None:
    """Tell whether a request is a search, and of which indices; None: it passes through."""
    if method not in {"GET", "POST"} or b"search" not in target or b"#" in target:
        return None
    path, _, query = target.partition(b"?")
    found = _place(path)
    if found is None or (found[1] == "async_search" and method != "POST"):
        return None
    name, endpoint = found
    route = SearchRoute(name, _parameters(query), endpoint)
    if name is None:
        return SearchRoute(route.parameter("index") or None, route.parameters, endpoint)
    return SearchRoute(name or None, route.parameters, endpoint)


def segment(expression: str) -> str:
    """An index expression as one path segment; commas and stars stay as clients write them."""
    return quote(expression, safe="*,")


def _place(path: bytes) -> tuple[str | None, Endpoint] | None:
    """The index expression in the path (None: the path has no place for one) and the endpoint.

    Empty segments at the end are dropped, as every engine does; ``//_search`` is a search over all indices.
    """
    if not path.startswith(b"/"):
        return None
    segments = tuple(path[1:].split(b"/"))
    while segments and not segments[-1]:
        segments = segments[:-1]
    if segments in _TAILS:
        return None, _TAILS[segments]
    name = _decoded(segments[0]) if segments else ""
    if not _is_a_name(name):
        return None
    if segments[1:] in _TAILS:
        return name, _TAILS[segments[1:]]
    if len(segments) == 3 and segments[2] == b"_search" and name and segments[1]:  # noqa: PLR2004  index, type, _search
        return (name, "typed") if _is_a_name(_decoded(segments[1])) else None
    return None


def _is_a_name(text: str) -> bool:
    return not text.startswith("_") or text == "_all"


def _parameters(query: bytes) -> Parameters:
    """Split at ``&`` and ``;``, skip empty pieces, ``+`` is a blank (seen on live engines)."""
    pairs = []
    for piece in query.replace(b";", b"&").split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((_decoded(name), _decoded(value)))
    return tuple(pairs)


def _decoded(text: bytes) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
