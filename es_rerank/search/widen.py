"""RerankPlan → the request for Elasticsearch.

``from`` and ``size`` go into the URL, which beats the body, so that a body's bytes stay the client's (rule R5). Only kNN
sections and added ``fields`` change a body, and then only those values. A search among many has no URL of its own: there
``from`` and ``size`` change in the body. Does not send anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

import msgspec

from es_rerank.core.ports import Headers, UpstreamRequest
from es_rerank.search import knn, spans
from es_rerank.search.headers import content_type_for_new_body, drop, first
from es_rerank.search.plan import RerankPlan


def widen(plan: RerankPlan, original: UpstreamRequest) -> UpstreamRequest:
    """Build the wider request; ``original`` has the headers that go upstream, and the body as received."""
    target, headers, body = original.target, original.headers, original.body
    edited = _edited(plan)
    if edited is not None:
        gone = {b"content-length", b"content-encoding"}
        if plan.call.held_in != "body":
            gone |= {b"content-type"}
        headers = drop(headers, frozenset(gone))
        if plan.call.held_in != "body":
            headers += ((b"content-type", content_type_for_new_body(original.headers)),)
        target, body = _without_source(target), edited
    return UpstreamRequest(original.method, _sized(target, plan), _coded(headers), body, repeatable=True)


def carrying(original: UpstreamRequest, body: bytes) -> UpstreamRequest:
    """The same request with another body, not compressed."""
    kept = drop(original.headers, frozenset({b"content-length", b"content-encoding"}))
    return UpstreamRequest(original.method, original.target, _coded(kept), body, repeatable=True)


def widened_body(plan: RerankPlan) -> bytes:
    """The body of one search of an ``_msearch``, on one line as it came."""
    body = _edited(plan, knn.pinned_sections(plan.call)) or plan.call.body or b"{}"
    return spans.set_members(body, (), {"from": b"0", "size": b"%d" % plan.upstream_size})


def coded(request: UpstreamRequest) -> UpstreamRequest:
    """The same request, whose answer will be one that can be decoded here."""
    return UpstreamRequest(request.method, request.target, _coded(request.headers), request.body, request.repeatable)


def _edited(plan: RerankPlan, more: Sequence[knn.Widened] = ()) -> bytes | None:
    """The new body; None where the client's own will do. ``more``: kNN sections to change where the plan leaves them."""
    planned = {section.path for section in plan.sections}
    sections = [*plan.sections, *(section for section in more if section.path not in planned)]
    if not sections and not plan.added_fields:
        return None
    body = plan.call.body or b"{}"
    for section in sections:
        body = spans.set_members(body, section.path, section.changes)
    if plan.added_fields:
        asked = plan.call.tree.get("fields")
        fields = [*(asked if isinstance(asked, list) else []), *({"field": name} for name in plan.added_fields)]
        body = spans.set_members(body, (), {"fields": msgspec.json.encode(fields)})
    return body


def _sized(target: bytes, plan: RerankPlan) -> bytes:
    """Append the window, and undo a filter; the last of equal parameters wins."""
    unfiltered = b"&filter_path=" if plan.filtered else b""
    return target + (b"&" if b"?" in target else b"?") + b"from=0&size=%d" % plan.upstream_size + unfiltered


def _without_source(target: bytes) -> bytes:
    """Take ``source`` and its type out of the URL: it has become the body, and both together are refused."""
    path, mark, query = target.partition(b"?")
    pieces = query.replace(b";", b"&").split(b"&")
    names = (unquote_to_bytes(piece.partition(b"=")[0]) for piece in pieces)
    kept = [piece for piece, name in zip(pieces, names, strict=True) if name not in {b"source", b"source_content_type"}]
    return path + mark + b"&".join(kept)


def _coded(headers: Headers) -> Headers:
    """Ask for gzip where the client takes it, else for no coding: nothing else can be decoded here (rule R17)."""
    asked = first(headers, b"accept-encoding")
    if asked is None:
        return headers
    names = [piece.partition(b";") for piece in asked.lower().split(b",")]
    gzip = any(name.strip() == b"gzip" and rest.replace(b" ", b"") not in {b"q=0", b"q=0.0"} for name, _, rest in names)
    return (*drop(headers, frozenset({b"accept-encoding"})), (b"accept-encoding", b"gzip" if gzip else b"identity"))
