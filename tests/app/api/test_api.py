"""The API's areas together."""

from __future__ import annotations

import httpx

from es_rerank.app.api.rerank import DIALECTS
from tests.running import proxy


def test_the_two_ports_share_no_path() -> None:
    """The proxy's port has nothing of ours: even ``/healthz`` goes to Elasticsearch."""
    with proxy("http://127.0.0.1:1") as running:
        assert httpx.get(f"{running.url}/healthz").status_code == 502
        assert httpx.get(f"{running.api}/_search").status_code == 404
        paths = set(httpx.get(f"{running.api}/openapi.json").json()["paths"])
        ours = {
            "/healthz",
            "/readyz",
            "/metrics",
            "/compare",
            "/live",
            "/live.json",
            "/info",
            "/experiments",
            "/experiments/{name}",
        }
        assert paths == ours | {served.path for served in DIALECTS}
