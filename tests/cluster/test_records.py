"""Everything that an analysis reads, page by page; on an engine in tests/cli/test_experiment.py."""

from __future__ import annotations

import json

import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.cluster.records import scan
from tests.cluster.test_state import DENIED, MISSING, answering
from tests.stubs import stub


def page(start: int, count: int) -> tuple[str, str]:
    hits = [{"_source": {"n": number}, "sort": [f"q{number}"]} for number in range(start, start + count)]
    return "200 OK", json.dumps({"hits": {"hits": hits}})


def test_pages() -> None:
    """Each begins behind the last hit of the one before."""
    with stub(answering(page(0, 1000), page(1000, 1000), page(2000, 3))) as upstream:
        found = list(scan(Cluster([upstream.url], ()), "i", {"match_all": {}}, "query_id"))
        assert [one["n"] for one in found] == list(range(2003))
        bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in upstream.requests]
    assert [body.get("search_after") for body in bodies] == [None, ["q999"], ["q1999"]]
    assert bodies[0]["sort"] == [{"query_id": "asc"}]


def test_faults() -> None:
    """No index is nothing; no right is told."""
    with stub(answering(MISSING, DENIED)) as upstream:
        cluster = Cluster([upstream.url], ())
        assert list(scan(cluster, "i", {}, "k")) == []
        with pytest.raises(Refused, match="not you"):
            list(scan(cluster, "i", {}, "k"))
