"""Searches asked again under other policies."""

from __future__ import annotations

import pytest

from es_rerank.app.recent import RecentSearch
from es_rerank.app.trial import Trial
from es_rerank.core.policy import IndexPolicy, QueryPolicy
from es_rerank.core.ports import UpstreamRequest, UpstreamResponse
from es_rerank.errors import UpstreamError
from tests.builders import answer, hit, policy
from tests.fakes import FakeScorer, FakeUpstream
from tests.search.test_variants import running

LOGIN = ((b"authorization", b"own"),)
SNOW = RecentSearch(
    "books",
    "snow",
    UpstreamRequest(
        "POST", b"/books/_search", ((b"content-type", b"application/json"),), b'{"query":{"match":{"title":"snow"}}}', True
    ),
)


def asked(given: UpstreamRequest) -> UpstreamResponse:
    assert given.headers[-1:] == LOGIN
    hits = [hit("a", 3.0, _source={"title": "ice"}), hit("b", 2.0, _source={"title": "snow"})]
    return UpstreamResponse(200, ((b"content-type", b"application/json"),), answer(hits))


async def test_another_policy_another_order() -> None:
    """Reranked under one, in Elasticsearch's order under another and under none; experiments count for nothing."""
    upstream, scorer = FakeUpstream(asked), FakeScorer(0.0, 5.0)

    async def ids(*policies: IndexPolicy) -> tuple[list[str], str]:
        found = await Trial(upstream, scorer, policies, LOGIN).ask(SNOW)
        return found.ids, found.disposition.header() if found.disposition else ""

    assert await ids(policy()) == (["b", "a"], "reranked;window=2;scored=2")
    assert await ids(running(wide=policy())) == (["b", "a"], "reranked;window=2;scored=2")
    assert await ids(policy(enabled=False)) == (["a", "b"], "passed-through;reason=disabled")
    assert await ids(policy(query=QueryPolicy(ignore_fields=("title",)))) == (
        ["a", "b"],
        "passed-through;reason=no-query-text",
    )
    assert await ids() == (["a", "b"], "passed-through;reason=no-policy")


async def test_a_search_that_fails() -> None:
    """Told; an answer without hits has none."""
    refused = FakeUpstream(lambda _: UpstreamResponse(403, (), b"{}"))
    with pytest.raises(UpstreamError, match="answered 403 to 'snow'"):
        await Trial(refused, FakeScorer(), (), LOGIN).ask(SNOW)
    for body in (b"{}", b"[]", b"{"):
        filtered = FakeUpstream(lambda _, body=body: UpstreamResponse(200, (), body))  # type: ignore[misc]
        assert (await Trial(filtered, FakeScorer(), (), LOGIN).ask(SNOW)).ids == []
