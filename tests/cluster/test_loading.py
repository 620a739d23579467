"""Documents in bulk; on an engine in tests/cli/test_evaluate.py."""

from __future__ import annotations

import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.cluster.loading import fill, make
from es_rerank.errors import UpstreamError
from tests.cluster.test_state import DENIED, EXISTS, answering
from tests.stubs import stub

DONE = ("200 OK", '{"acknowledged":true}')


def test_make() -> None:
    """Made, there already, or not allowed."""
    with stub(answering(DONE, EXISTS, DENIED)) as upstream:
        cluster = Cluster([upstream.url], ())
        assert make(cluster, "i", {"properties": {}}) is True
        assert make(cluster, "i") is False
        with pytest.raises(Refused):
            make(cluster, "i")
        assert b'"mappings"' in upstream.requests[0]


def test_a_document_that_is_refused() -> None:
    """By its id, with the reason; one that is there already is left as it is."""
    items = '{"create":{"status":409}},{"create":{"status":400,"error":{"reason":"odd"}}}'
    with stub(answering(("200 OK", f'{{"items":[{items}]}}'))) as upstream:
        with pytest.raises(UpstreamError, match=r"document 'b' was refused \(400\): odd"):
            list(fill(Cluster([upstream.url], ()), "i", [("a", {}), ("b", {})]))
