"""The Live page, and the same for programs."""

from __future__ import annotations

import httpx

from es_rerank.app.api.live import line
from tests.app.api.test_compare import elasticsearch
from tests.running import proxy
from tests.stubs import stub


def test_figures() -> None:
    """Searches that were served are there at once."""
    with stub(elasticsearch) as upstream, proxy(upstream.url) as running:
        search = {"query": {"match": {"title": "white snow"}}}
        for body in (search, {**search, "sort": ["year"]}):
            httpx.post(f"{running.url}/books/_search", json=body)
        figures = httpx.get(f"{running.api}/live.json", params={"seconds": 60}).json()
        assert [[one[0], one[1], one[2]] for one in figures["outcomes"]] == [
            ["passed-through", "sort", 1],
            ["reranked", "", 1],
        ]
        assert figures["stages"][0]["name"] == "total"
        page = httpx.get(f"{running.api}/live").text
        assert "the client sorts by something else" in page
        assert "<polyline points=" in page
        assert 'http-equiv="refresh"' not in page
        assert httpx.get(f"{running.api}/live?seconds=1").status_code == 422


def test_lines() -> None:
    """Oldest left, the greatest value near the top."""
    assert line([0.0, 5.0, 10.0]) == "0.0,80.0 300.0,42.0 600.0,4.0"
    assert line([0.0]) == "0.0,80.0"
    assert line([]) == ""
