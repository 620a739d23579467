"""A client's own ``ext.ubi`` → its query id, and the body without it, which engines without that plugin refuse.

User Behavior Insights 1.3: ``ext.ubi`` holds ``query_id``, ``user_query``, ``client_id`` and more. Only the id is read;
the rest goes with it, since es-rerank writes the record in the plugin's place.
"""

from __future__ import annotations

import msgspec

from es_rerank.core.experiment import ExperimentPolicy
from es_rerank.core.reasons import Passthrough
from es_rerank.search import request, spans
from es_rerank.search.request import SearchCall

_LONGEST = 100


class Told(msgspec.Struct, frozen=True):
    """What a search says of itself; ``body`` None: it says nothing, and stays as it came."""

    query_id: str | None = None
    body: bytes | None = None


def taken(call: SearchCall | Passthrough, experiment: ExperimentPolicy | None) -> tuple[SearchCall | Passthrough, Told]:
    """Under an experiment the search without ``ext.ubi``, and what it said; any other as it came."""
    if experiment is None or isinstance(call, Passthrough):
        return call, Told()
    told = read(call)
    return call if told.body is None else request.parse(call.route, b"application/json", told.body), told


def read(call: SearchCall) -> Told:
    """Look for ``ext.ubi`` in a body; one that is not an object is the engine's to refuse."""
    ext = call.tree.get("ext")
    found = ext.get("ubi") if isinstance(ext, dict) else None
    if not isinstance(found, dict) or call.body is None or call.held_in != "body":
        return Told()
    path: spans.Path = ("ext",) if len(call.tree["ext"]) > 1 else ()
    body = spans.replace(
        call.body, spans.without(call.body, spans.locate(call.body, path), frozenset({"ubi" if path else "ext"}))
    )
    given = found.get("query_id")
    usable = isinstance(given, str) and 0 < len(given) <= _LONGEST and given.isascii() and given.isprintable()
    return Told(given if usable else None, body)
