"""The walk of a search, on fakes: what comes of it in every way that it can go."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import msgspec
import pytest

from es_rerank.core.policy import IndexPolicy, SyntaxPolicy, WidenPolicy
from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Outcome, Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.errors import (
    ScorerBusy,
    ScorerError,
    ScorerWarmingUp,
    UpstreamBroken,
    UpstreamTooLarge,
    UpstreamUnreachable,
)
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.served import Served
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, policy
from tests.fakes import FakeScorer, FakeUpstream

JSON: Headers = ((b"Content-Type", b"application/json"), (b"X-elastic-product", b"Elasticsearch"))
HITS = answer([hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)])


class World:
    """A service over fakes."""

    def __init__(self, response: UpstreamResponse | Exception, scorer: FakeScorer, rules: IndexPolicy | None = None) -> None:
        self.upstream = FakeUpstream(lambda request: response)
        self.scorer = scorer
        self.breaker = Breaker(time.monotonic)
        self.widening = Widening(time.monotonic)
        rules = rules or policy()
        stages = Stages(scorer, time.monotonic, self.breaker, self.widening)
        self.service = SearchService(self.upstream, stages, lambda: [rules], time.monotonic, Enrolment())

    async def search(
        self, body: dict[str, Any] | bytes | None = None, target: bytes = b"/books/_search", asked: Headers = ()
    ) -> Served:
        found = route.parse("POST", target)
        assert found is not None
        given = (
            body if isinstance(body, bytes) else msgspec.json.encode({"query": {"match": {"title": "snow"}}, **(body or {})})
        )
        lines = ((b"content-type", b"application/json"), *asked)
        covered = self.service.covers(found)
        assert isinstance(covered, Resolved)
        return await self.service.search(UpstreamRequest("POST", target, lines, given), asked, found, covered)


def good(body: bytes = HITS, status: int = 200, headers: Headers = JSON) -> UpstreamResponse:
    return UpstreamResponse(status, headers, body)


def ids(served: Served) -> list[str]:
    assert served.answer is not None
    return [entry["_id"] for entry in json.loads(served.answer.body)["hits"]["hits"]]


async def test_reranked() -> None:
    """New order, new scores, Elasticsearch's own header lines, and what was read but not handed on."""
    world = World(good(), FakeScorer(-1.0, 0.5, 2.0))
    served = await world.search({"size": 2})
    assert served.disposition.header() == "reranked;window=3;scored=3"
    assert ids(served) == ["3", "2"]
    assert served.answer is not None
    assert served.answer.headers[:2] == JSON
    assert dict(served.answer.headers)[b"content-length"] == b"%d" % len(served.answer.body)
    assert served.hits == 2
    assert served.bytes_added > 0
    assert world.upstream.asked[0].target == b"/books/_search?from=0&size=100"
    job = world.scorer.jobs[0]
    assert (job.query, job.passages, job.max_length) == ("snow", ("title 1", "title 2", "title 3"), 512)


async def test_partial() -> None:
    """What was scored in time is used; the rest stays below, in Elasticsearch's order."""
    served = await World(good(), FakeScorer(-1.0, 1.0, None)).search()
    assert served.disposition.header() == "partial;window=3;scored=2"
    assert ids(served) == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ScorerBusy("full"), Reason.QUEUE_FULL),
        (ScorerWarmingUp("soon"), Reason.WARMING_UP),
        (ScorerError("dead"), Reason.SCORER_ERROR),
    ],
)
async def test_faults_of_the_model(fault: Exception, reason: Reason) -> None:
    """First-stage order and scores, cut from the answer in hand."""
    served = await World(good(), FakeScorer(fault=fault)).search({"from": 1, "size": 1})
    assert (served.disposition.outcome, served.disposition.reason) == (Outcome.FELL_BACK, reason)
    assert served.answer is not None
    found = json.loads(served.answer.body)
    assert [entry["_score"] for entry in found["hits"]["hits"]] == [2.0]
    assert found["hits"]["max_score"] == 3.0


@pytest.mark.parametrize(
    ("logits", "reason"),
    [
        ((1.0, float("nan"), 2.0), Reason.NON_FINITE),
        ((1.0, float("inf"), 2.0), Reason.NON_FINITE),
        ((1.0, 2.0), Reason.SCORER_ERROR),
        ((None, None, None), Reason.TIMEOUT),
    ],
)
async def test_useless_logits(logits: tuple[float | None, ...], reason: Reason) -> None:
    """Not a number, too few, none in time."""
    world = World(good(), FakeScorer(*logits))
    served = await world.search()
    assert (served.disposition.outcome, served.disposition.reason) == (Outcome.FELL_BACK, reason)
    assert ids(served) == ["1", "2", "3"]


async def test_a_scorer_that_never_answers() -> None:
    """The deadline ends the wait."""
    scorer = FakeScorer()
    scorer.forever = True
    served = await World(good(), scorer, policy(timeout_ms=25)).search()
    assert served.disposition.header() == "fell-back;reason=timeout;window=3;scored=0"


async def test_no_time_left() -> None:
    """Under 20 ms the model is not asked."""
    scorer = FakeScorer(1.0, 1.0, 1.0)
    served = await World(good(), scorer, policy(total_ms=10)).search()
    assert served.disposition.reason is Reason.TIMEOUT
    assert scorer.jobs == []


async def test_five_failures_open_the_breaker() -> None:
    """Then neither the model nor a wider search is asked for."""
    world = World(good(), FakeScorer(fault=ScorerError("dead")))
    for _ in range(5):
        await world.search()
    served = await world.search()
    assert served.disposition.header() == "fell-back;reason=breaker-open"
    assert served.answer is None
    assert len(world.upstream.asked) == 5


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (good(b"{}", 400), Reason.WIDENING_REFUSED),
        (UpstreamBroken("cut"), Reason.WIDENING_REFUSED),
        (UpstreamTooLarge("big"), Reason.TOO_LARGE),
        (good(b"nonsense"), Reason.NOT_JSON),
        (good(HITS, headers=((b"content-type", b"application/yaml"),)), Reason.NOT_JSON),
        (good(HITS, headers=(*JSON, (b"content-encoding", b"snappy"))), Reason.NOT_JSON),
        (good(answer([], timed_out=True)), Reason.WIDENING_REFUSED),
    ],
)
async def test_what_is_replayed(response: UpstreamResponse | Exception, reason: Reason) -> None:
    """The original is sent as it came; three in a row rest the expression."""
    world = World(response, FakeScorer())
    for _ in range(3):
        served = await world.search()
        assert (served.disposition.outcome, served.disposition.reason) == (Outcome.FELL_BACK, reason)
        assert served.answer is None
        world.service.answered(served, 200)
    assert (await world.search()).disposition.header() == "passed-through;reason=widening-refused"
    assert len(world.upstream.asked) == 3


async def test_a_clients_own_mistakes_do_not_rest_the_widening() -> None:
    """Where the original is refused too, the wider search was not at fault."""
    world = World(good(b"{}", 400), FakeScorer())
    for _ in range(5):
        served = await world.search()
        assert served.disposition.reason is Reason.WIDENING_REFUSED
        world.service.answered(served, 400)
    assert len(world.upstream.asked) == 5


@pytest.mark.parametrize("status", [401, 403, 404, 429, 502, 503, 504])
async def test_overload_is_handed_on(status: int) -> None:
    """A storm is not doubled, and what has nothing to do with the window is not asked for again."""
    world = World(good(b'{"error":"busy"}', status), FakeScorer())
    served = await world.search()
    assert served.disposition.header() == "passed-through;reason=upstream-error"
    assert served.answer is not None
    assert (served.answer.status, served.answer.body) == (status, b'{"error":"busy"}')


async def test_an_unreachable_upstream_is_raised() -> None:
    """There is no answer to fall back on."""
    with pytest.raises(UpstreamUnreachable):
        await World(UpstreamUnreachable("gone"), FakeScorer()).search()


async def test_gzip_in_and_out() -> None:
    """Bodies in either direction may be coded."""
    response = good(gzip.compress(HITS), headers=(*JSON, (b"Content-Encoding", b"gzip")))
    world = World(response, FakeScorer(0.0, 1.0, 2.0))
    coded = gzip.compress(b'{"query":{"match":{"title":"snow"}}}')
    found = route.parse("POST", b"/books/_search")
    assert found is not None
    lines = ((b"content-type", b"application/json"), (b"content-encoding", b"gzip"))
    covered = world.service.covers(found)
    assert isinstance(covered, Resolved)
    served = await world.service.search(UpstreamRequest("POST", b"/books/_search", lines, coded), (), found, covered)
    assert served.answer is not None
    assert json.loads(gzip.decompress(served.answer.body))["hits"]["hits"][0]["_id"] == "3"
    assert world.upstream.asked[0].body == coded


async def test_a_bomb_is_replayed() -> None:
    """A coded answer that grows past ``widen.max_bytes`` when decoded."""
    response = good(gzip.compress(b" " * 100_000 + HITS), headers=(*JSON, (b"content-encoding", b"gzip")))
    rules = policy(widen=WidenPolicy(max_bytes=1000))  # type: ignore[arg-type]
    assert (await World(response, FakeScorer(), rules).search()).disposition.reason is Reason.TOO_LARGE


async def test_left_alone() -> None:
    """Reasons from before Elasticsearch is asked."""
    world = World(good(), FakeScorer(0.0, 0.0, 0.0))
    assert (await world.search({"sort": "n"})).disposition.reason is Reason.SORT
    assert (await world.search(b"nonsense")).disposition.reason is Reason.NOT_JSON
    other = route.parse("POST", b"/other/_search")
    assert other is not None
    assert world.service.covers(other) == Passthrough(Reason.NO_POLICY)
    off = ((b"x-rerank-mode", b"off"),)
    assert (await world.search(asked=off)).disposition.reason is Reason.MODE_OFF
    coded = ((b"content-encoding", b"br"),)
    assert (await world.search(asked=coded)).disposition.reason is Reason.NOT_JSON
    assert world.upstream.asked == []


async def test_nothing_to_rank() -> None:
    """No hits, or none with text."""
    assert (await World(good(answer([])), FakeScorer()).search()).disposition.reason is Reason.NO_HITS
    bare = answer([hit("1", 1.0, _source={})])
    served = await World(good(bare), FakeScorer()).search()
    assert served.disposition.reason is Reason.NO_TEXT
    assert ids(served) == ["1"]


async def test_hits_without_text_are_kept_below() -> None:
    """They are not sent to the model."""
    hits = answer([hit("1", 3.0, _source={}), hit("2", 2.0)])
    world = World(good(hits), FakeScorer(1.0))
    served = await world.search()
    assert served.disposition.header() == "reranked;window=2;scored=1"
    assert ids(served) == ["2", "1"]
    assert world.scorer.jobs[0].passages == ("title 2",)


OWN_WORDS = policy(syntax=SyntaxPolicy(text_similarity_reranker=True, query_context=True))
RETRIEVER = {
    "retriever": {
        "text_similarity_reranker": {
            "retriever": {"standard": {"query": {"match": {"title": "snow"}}}},
            "field": "title",
            "inference_text": "what the person wants",
            "rank_window_size": 3,
            "min_score": -0.5,
        }
    }
}
PLAIN = {"query": {"match": {"title": "snow"}}, "from": 0, "size": 3}


async def test_a_retriever_that_is_executed_here() -> None:
    """The engine gets a plain search; the answer is Elastic's: its window, its score map, its totals."""
    world = World(good(), FakeScorer(-1.0, 0.5, 2.0), OWN_WORDS)
    served = await world.search(msgspec.json.encode(RETRIEVER))
    assert served.disposition.header() == "reranked;window=3;scored=3"
    assert served.answer is not None
    found = json.loads(served.answer.body)["hits"]
    assert [(entry["_id"], entry["_score"]) for entry in found["hits"]] == [("3", 3.0), ("2", 1.5)]
    assert found["total"] == {"value": 2, "relation": "eq"}
    (asked,) = world.upstream.asked
    assert asked.target == b"/books/_search?from=0&size=3"
    assert isinstance(asked.body, bytes)
    assert json.loads(asked.body) == PLAIN
    assert world.scorer.jobs[0].query == "what the person wants"


async def test_a_retriever_and_a_model_that_fails() -> None:
    """The inner retriever's order, nothing dropped."""
    served = await World(good(), FakeScorer(fault=ScorerError("dead")), OWN_WORDS).search(msgspec.json.encode(RETRIEVER))
    assert served.disposition.header() == "fell-back;reason=scorer-error;window=3;scored=0"
    assert ids(served) == ["1", "2", "3"]


async def test_a_retriever_that_is_not_reranked_now() -> None:
    """The engine still gets what it understands: the breaker is open, the client says no, the wider search is refused."""
    world = World(good(status=400), FakeScorer(0.0), OWN_WORDS)
    refused = await world.search(msgspec.json.encode(RETRIEVER))
    off = await world.search(msgspec.json.encode(RETRIEVER), asked=((b"X-Rerank-Mode", b"off"),))
    for _ in range(5):
        world.breaker.failed()
    open_ = await world.search(msgspec.json.encode(RETRIEVER))
    reasons = [served.disposition.reason for served in (refused, off, open_)]
    assert reasons == [Reason.WIDENING_REFUSED, Reason.MODE_OFF, Reason.BREAKER_OPEN]
    for served in (refused, off, open_):
        assert served.answer is None
        assert served.request is not None
        assert isinstance(served.request.body, bytes)
        assert json.loads(served.request.body) == PLAIN


async def test_a_retriever_that_the_policy_does_not_allow() -> None:
    """Goes to the engine as it came."""
    served = await World(good(), FakeScorer()).search(msgspec.json.encode(RETRIEVER))
    assert (served.disposition.reason, served.request) == (Reason.ALREADY_RERANKED, None)


async def test_a_query_context() -> None:
    """Taken out of the body; its text is what the model reads."""
    world = World(good(), FakeScorer(0.0, 1.0, 2.0), OWN_WORDS)
    served = await world.search({"ext": {"rerank": {"query_context": {"query_text": "what the person wants"}}}})
    assert ids(served) == ["3", "2", "1"]
    assert world.scorer.jobs[0].query == "what the person wants"
    assert world.upstream.asked[0].body == b'{"query":{"match":{"title":"snow"}}}'


async def test_pinned_hits_stay_on_top() -> None:
    """With Elasticsearch's score; the others are reranked below them."""
    pinned = {"query": {"pinned": {"ids": ["1"], "organic": {"match": {"title": "snow"}}}}}
    data = answer([hit("1", 1.7014122e38), hit("2", 2.0), hit("3", 1.0)])
    world = World(good(data), FakeScorer(-9.0, 0.5, 2.0))
    served = await world.search(pinned)
    assert ids(served) == ["1", "3", "2"]
    assert served.answer is not None
    found = json.loads(served.answer.body)["hits"]
    assert [entry["_score"] for entry in found["hits"]] == [1.7014122e38, 3.0, 1.5]
    assert found["max_score"] == 1.7014122e38
    assert world.scorer.jobs[0].query == "snow"
