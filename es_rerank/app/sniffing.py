"""Clients that sniff: they ask the cluster for its nodes' addresses and go there, past the proxy.

Where an address is advertised, the nodes' published and bound addresses become that one in the answer; every other byte is
Elasticsearch's own. The one answer to a request that is no search which is ever changed, and only on demand.
Requests of the official clients: ``GET /_nodes/_all/http``, ``/_nodes/http``, ``/_nodes/http,settings``.
"""

from __future__ import annotations

import msgspec

from es_rerank.search import spans
from es_rerank.search.spans import Span

MOST_BYTES = 64 * 1024**2
_OTHER_TOPICS = frozenset({b"stats", b"hot_threads", b"hotthreads", b"usage", b"reload_secure_settings", b"shutdown"})


def asks(method: str, target: bytes) -> bool:
    """Whether a request asks for the nodes' addresses, perhaps among other things."""
    path = target.partition(b"?")[0]
    segments = [segment for segment in path.split(b"/") if segment]
    return method == "GET" and segments[:1] == [b"_nodes"] and _OTHER_TOPICS.isdisjoint(segments[1:])


def rewritten(data: bytes, place: str) -> bytes | None:
    """The answer with ``host:port`` as every node's HTTP address; None where it cannot be read as one."""
    try:
        top = spans.members(data)
        nodes = spans.members(data, top["nodes"].value) if "nodes" in top else {}
        edits: dict[Span, bytes] = {}
        for node in nodes.values():
            members = spans.members(data, node.value)
            http = spans.members(data, members["http"].value) if "http" in members else {}
            for name, told in (("publish_address", place), ("bound_address", [place])):
                if name in http:
                    edits[http[name].value] = msgspec.json.encode(told)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return spans.replace(data, edits)
