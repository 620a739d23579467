"""Answers that the proxy gives itself, and only where Elasticsearch cannot be reached.

The shape is Elasticsearch's error envelope (``RestResponse`` in elastic/elasticsearch), with the content type that the
client's ``Accept`` asks for and the header that clients check the product by.
"""

from __future__ import annotations

import msgspec

from es_rerank.core.ports import Headers
from es_rerank.errors import UpstreamError
from es_rerank.search.headers import content_type_for_new_body, first


def unreachable(fault: UpstreamError, asked: Headers) -> tuple[int, Headers, bytes]:
    """Status, header lines and body for a fault of the upstream."""
    reason = {"type": fault.kind, "reason": f"es-rerank: {fault}"}
    envelope = {"error": {"root_cause": [reason], **reason}, "status": fault.status}
    body = msgspec.json.encode(envelope)
    lines: list[tuple[bytes, bytes]] = [
        (b"content-type", content_type_for_new_body(asked)),
        (b"content-length", b"%d" % len(body)),
        (b"X-elastic-product", b"Elasticsearch"),
    ]
    opaque = first(asked, b"x-opaque-id")
    if opaque is not None:
        lines.append((b"X-Opaque-Id", opaque))
    return fault.status, tuple(lines), body
