"""Index templates for records; on engines in tests/real/test_experiments.py."""

from __future__ import annotations

import json

import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.cluster.templates import QUERIES, install
from tests.cluster.test_state import DENIED, EXISTS, answering
from tests.stubs import stub

DONE = ("200 OK", '{"acknowledged":true}')


@pytest.mark.parametrize(
    ("second", "told"), [(DONE, "made"), (EXISTS, "was there already; its template is renewed, its mapping stays")]
)
def test_install(second: tuple[str, str], told: str) -> None:
    """A template of the index's own name, and the index."""
    with stub(answering(DONE, second)) as upstream:
        assert install(Cluster([upstream.url], ()), "ubi_queries", QUERIES) == told
        head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"PUT /_index_template/es-rerank-ubi_queries ")
        assert json.loads(body)["template"]["mappings"]["properties"] == QUERIES


def test_without_the_right() -> None:
    """Told."""
    with stub(answering(DONE, DENIED)) as upstream:
        with pytest.raises(Refused, match="not you"):
            install(Cluster([upstream.url], ()), "ubi_queries", QUERIES)
