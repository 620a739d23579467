"""A search template → the search that it stands for.

Elasticsearch renders (``_render/template`` takes the same body), so Mustache stays its own. What the template's body says
beside the template, ``explain`` and ``profile``, goes over into the search; ``from`` and ``size`` in the URL are lost, as
they are in Elasticsearch. Numbers that a template writes as strings become numbers where we have to count with them.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search import spans
from es_rerank.search.headers import drop
from es_rerank.search.request import decode

RENDER = b"/_render/template"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_TAIL = re.compile(rb"/template/*\Z")


def rendering(original: UpstreamRequest, body: bytes) -> UpstreamRequest:
    """The request that has a template rendered, with the caller's own credentials; ``body`` is not compressed."""
    kept = drop(original.headers, frozenset({b"content-length", b"content-encoding", b"accept-encoding"}))
    return UpstreamRequest("POST", RENDER, kept, body, repeatable=True)


def rendered(answer: bytes, asked: bytes) -> bytes | None:
    """The search in an answer of ``_render/template`` to the body ``asked``; None where there is none to be read."""
    try:
        span = spans.members(answer)["template_output"].value
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    body = answer[span[0] : span[1]]
    tree, said = decode(body), decode(asked)
    if tree is None or said is None:
        return None
    changes = {name: tree[name].encode() for name in ("from", "size") if _is_a_number(tree.get(name))}
    changes |= {name: msgspec.json.encode(said[name]) for name in ("explain", "profile") if name in said}
    try:
        return spans.set_members(body, (), changes) if changes else body
    except ValueError:  # a key that stands there twice
        return None


def on_one_line(body: bytes) -> bytes:
    """The same search without line ends, for a newline-delimited body."""
    return msgspec.json.format(body, indent=-1)


def search_of(original: UpstreamRequest, body: bytes) -> UpstreamRequest:
    """The ``_search`` (or ``_msearch``) that stands for a templated one."""
    path, mark, query = original.target.partition(b"?")
    pieces = [piece for piece in query.replace(b";", b"&").split(b"&") if _name(piece) not in {b"from", b"size"}]
    target = _TAIL.sub(b"", path) + (mark + b"&".join(pieces) if any(pieces) else b"")
    kept = drop(original.headers, frozenset({b"content-length", b"content-encoding"}))
    return UpstreamRequest(original.method, target, kept, body, repeatable=True)


def _name(piece: bytes) -> bytes:
    return unquote_to_bytes(piece.partition(b"=")[0])


def _is_a_number(value: Any) -> bool:  # noqa: ANN401  JSON
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None
