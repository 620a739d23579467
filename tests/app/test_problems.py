"""Answers of our own."""

from __future__ import annotations

import json

from es_rerank.app.problems import unreachable
from es_rerank.errors import UpstreamTimeout


def test_the_envelope_is_elasticsearchs() -> None:
    """Type and status as typed clients need them; JSON where the client asked for nothing."""
    status, lines, body = unreachable(UpstreamTimeout("no answer"), ())
    found = json.loads(body)
    assert status == found["status"] == 504
    assert found["error"]["type"] == found["error"]["root_cause"][0]["type"] == "upstream_timeout_exception"
    assert (b"content-type", b"application/json") in lines
    assert (b"X-elastic-product", b"Elasticsearch") in lines
