"""Raw request target → endpoint, index expression and parameters.

Its law: the target is never re-encoded; what is decoded here is only looked at. A path is split while it is still
encoded, because the ``/`` of date math travels as ``%2F`` inside one segment (rule R1). Everything that is not exactly
a search path is left alone: ``/i/_doc/_search`` is a document, ``/i/_search/x`` is nothing.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import msgspec

Parameters = tuple[tuple[str, str], ...]


class SearchRoute(msgspec.Struct, frozen=True):
    """A target of ``_search``. ``expression`` is the decoded index expression, None where none is named.

    ``parameters`` are decoded and in their order; of equal names Elasticsearch takes the last.
    """

    expression: str | None
    parameters: Parameters

    def parameter(self, name: str) -> str | None:
        """The value that Elasticsearch uses for a parameter; None: not given."""
        found = [value for key, value in self.parameters if key == name]
        return found[-1] if found else None


def parse(method: str, target: bytes) -> SearchRoute | None:
    """Tell whether a request is a search, and of which indices; None: it passes through."""
    if method not in {"GET", "POST"} or b"_search" not in target or b"#" in target:
        return None
    path, _, query = target.partition(b"?")
    segments = _segments(path)
    if segments is None:
        return None
    parameters = _parameters(query)
    route = SearchRoute(None, parameters)
    if segments == [b"_search"]:
        return SearchRoute(route.parameter("index") or None, parameters)
    return SearchRoute(_decoded(segments[0]) or None, parameters)


def segment(expression: str) -> str:
    """An index expression as one path segment; commas and stars stay as clients write them."""
    return quote(expression, safe="*,")


def _segments(path: bytes) -> list[bytes] | None:
    """``[_search]`` or ``[expression, _search]``, still encoded; None for any other path.

    Empty segments at the end are dropped, as every engine does; ``//_search`` is a search over all indices.
    """
    if not path.startswith(b"/"):
        return None
    segments = path[1:].split(b"/")
    while segments and not segments[-1]:
        segments.pop()
    if segments == [b"_search"]:
        return segments
    if len(segments) != 2 or segments[1] != b"_search":  # noqa: PLR2004  expression, _search
        return None
    name = _decoded(segments[0])
    return segments if not name.startswith("_") or name == "_all" else None


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
