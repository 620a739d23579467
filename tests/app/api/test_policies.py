"""The Policies page: what is in force, and what a change would do."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.app.api.test_compare import elasticsearch
from tests.running import POLICY, proxy
from tests.stubs import stub


@pytest.fixture(scope="module")
def api() -> Iterator[tuple[str, str]]:
    with (
        stub(elasticsearch) as upstream,
        proxy(upstream.url, policy=POLICY.replace('"books*"', '"books*", "gone*"')) as running,
    ):
        yield running.url, running.api


def test_what_is_in_force(api: tuple[str, str]) -> None:
    """Keys and the file itself."""
    page = httpx.get(f"{api[1]}/policies", params={"file": "policy.yaml"}).text
    assert "<dt><code>rank_window_size</code></dt><dd>50</dd>" in page
    assert "timeout_ms: 3000" in page


def test_a_change_is_checked_and_tried(api: tuple[str, str]) -> None:
    """Faults by line, what was typed stays; a trial asks each recent search under both, and counts what changes."""
    odd = httpx.post(
        f"{api[1]}/policies", data={"name": "policy.yaml", "text": "indices: [a]\npassage: {fieldz: [b]}\n", "do": "check"}
    )
    assert (odd.status_code, "policy.yaml:2" in odd.text, "fieldz: [b]" in odd.text) == (400, True, True)
    fine = {"name": "other.yaml", "text": "indices: [a]\r\npassage: {fields: [b]}\r\n"}
    assert "It would load. Policies in all: 2" in httpx.post(f"{api[1]}/policies", data=fine | {"do": "check"}).text
    for words in ("white snow", "snow"):
        httpx.post(
            f"{api[0]}/books/_search", json={"query": {"match": {"title": words}}}, headers={"authorization": "Basic eA=="}
        )
    httpx.post(f"{api[0]}/gone/_search", json={"query": {"match": {"title": "lost words"}}})
    off = {"name": "policy.yaml", "text": POLICY + "enabled: false\n", "do": "try"}
    page = httpx.post(f"{api[1]}/policies", data=off, timeout=30).text
    assert "2 of 2 first pages would change" in page
    assert "lost words: Elasticsearch answered 404" in page
    assert "reranked;window=2;scored=2" in page
    assert "one, &lt;i&gt;two" in page
    assert "&lt;i&gt;two, one" in page
    same = httpx.post(f"{api[1]}/policies", data=off | {"text": POLICY}, timeout=30).text
    assert "0 of 2 first pages would change" in same


def test_searches_are_not_kept_where_none_are_wanted() -> None:
    """And the page says why there is nothing to try."""
    with stub(elasticsearch) as upstream, proxy(upstream.url, recent_searches=0) as running:
        httpx.post(f"{running.url}/books/_search", json={"query": {"match": {"title": "snow"}}})
        assert "ES_RERANK_RECENT_SEARCHES is 0" in httpx.get(f"{running.api}/policies").text
    with proxy("http://127.0.0.1:1") as running:
        assert "No search that a policy covers has come yet" in httpx.get(f"{running.api}/policies").text
