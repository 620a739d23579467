"""Health, readiness, metrics."""

from __future__ import annotations

import httpx

from es_rerank import __version__
from tests.running import proxy


def test_no_key_needed() -> None:
    """Version, readiness and its facts, Prometheus's text; a search is counted."""
    with proxy("http://127.0.0.1:1") as running:
        assert httpx.get(f"{running.api}/healthz").json() == {"status": "ok", "version": __version__}
        assert httpx.get(f"{running.api}/readyz").json()["ready"] is True
        httpx.get(f"{running.url}/elsewhere/_search?q=a")
        told = httpx.get(f"{running.api}/metrics")
        assert told.headers["content-type"].startswith("text/plain")
        assert "es_rerank_ready 1.0" in told.text
        assert httpx.get(f"{running.api}/openapi.json").json()["info"]["title"] == "es-rerank"
