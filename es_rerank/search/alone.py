"""One search out of a request of many, or out of a template, as a request of its own, to be asked beside the path.

What the header of an item says beside its index (``routing``, ``preference`` …) are parameters of ``_search`` of the same
names. Does not send anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search.headers import drop
from es_rerank.search.request import SearchCall
from es_rerank.search.route import segment

_BODY_LINES = frozenset({b"content-length", b"content-encoding", b"content-type"})
_NOT_PARAMETERS = frozenset({"index", "indices", "type", "types"})


def alone(call: SearchCall, expression: str, said: Mapping[str, Any], original: UpstreamRequest) -> UpstreamRequest:
    """The search of ``call`` in ``expression``; ``said`` is its item's header, ``original`` lends the login."""
    parameters = "&".join(
        f"{quote(name, safe='')}={quote(_text(value), safe=',')}"
        for name, value in said.items()
        if name not in _NOT_PARAMETERS and value is not None
    )
    target = f"/{segment(expression)}/_search" + (f"?{parameters}" if parameters else "")
    lines = (*drop(original.headers, _BODY_LINES), (b"content-type", b"application/json"))
    return UpstreamRequest("POST", target.encode(), lines, call.body or b"{}", repeatable=True)


def _text(value: object) -> str:
    """As a URL spells it."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
