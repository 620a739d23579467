"""Many searches in one request, on fakes: each on its own merits, together where that is quicker."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from es_rerank.core.policy import SyntaxPolicy
from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.errors import ScorerError, UpstreamUnreachable
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.msearch import MultiSearchService
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.served import ServedMany
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, policy
from tests.fakes import FakeScorer, FakeUpstream

LINES: Headers = ((b"Content-Type", b"application/x-ndjson"),)
JSON: Headers = ((b"Content-Type", b"application/json"), (b"X-elastic-product", b"Elasticsearch"))
SNOW: dict[str, Any] = {"query": {"match": {"title": "snow"}}}
HITS = [hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)]
FAILED = {"error": {"type": "search_phase_execution_exception"}, "status": 400}


def lines(*parts: Any) -> bytes:
    return b"".join(json.dumps(part).encode() + b"\n" for part in parts)


def good(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer(HITS, **more))
    return found | {"status": 200}


def told(*items: Any, status: int = 200, headers: Headers = JSON) -> UpstreamResponse:
    return UpstreamResponse(status, headers, json.dumps({"took": 5, "responses": items}).encode())


class World:
    """A service over fakes; the upstream answers by the number of the call."""

    def __init__(self, *answers: UpstreamResponse | Exception, scorer: FakeScorer | None = None) -> None:
        left = list(answers)
        self.upstream = FakeUpstream(lambda _: left.pop(0))
        self.scorer = scorer or FakeScorer(0.0, 1.0, 2.0)
        self.widening = Widening(time.monotonic)
        stages = Stages(self.scorer, time.monotonic, Breaker(time.monotonic), self.widening)
        rules = [policy(), policy(indices=("wide",), rank_window_size=20)]
        self.service = MultiSearchService(self.upstream, stages, lambda: rules, time.monotonic, Enrolment())

    async def search(
        self, body: bytes, target: bytes = b"/books/_msearch", headers: Headers = LINES, asked: Headers = ()
    ) -> ServedMany:
        found = route.parse("POST", target)
        assert found is not None
        return await self.service.search(UpstreamRequest("POST", target, headers, body), asked, found)

    def sent(self, place: int) -> list[Any]:
        body = self.upstream.asked[place].body
        assert isinstance(body, bytes)
        return [json.loads(line or b"{}") for line in body.split(b"\n")[:-1]]


def responses(many: ServedMany) -> list[Any]:
    assert many.answer is not None
    found: list[Any] = json.loads(many.answer.body)["responses"]
    return found


def ids(item: Any) -> list[str]:
    return [entry["_id"] for entry in item["hits"]["hits"]]


async def test_each_on_its_own_merits() -> None:
    """A search that can be reranked is, others keep every byte; order and count stay."""
    sorted_item = good(marked=1.0)
    world = World(told(good(), sorted_item, FAILED | {"status": 404}, good()))
    body = lines(
        {}, SNOW | {"size": 2}, {"index": "books"}, SNOW | {"sort": "n"}, {"index": "nope"}, SNOW, {"index": "wide"}, SNOW
    )
    many = await world.search(body)
    assert many.header() == (
        "reranked;window=3;scored=3, passed-through;reason=sort, passed-through;reason=no-policy, reranked;window=3;scored=3"
    )
    found = responses(many)
    assert (ids(found[0]), ids(found[3])) == (["3", "2"], ["3", "2", "1"])
    assert found[1:3] == [sorted_item, FAILED | {"status": 404}]
    assert world.sent(0) == [
        {}, SNOW | {"size": 100, "from": 0}, {"index": "books"}, SNOW | {"sort": "n"}, {"index": "nope"}, SNOW,
        {"index": "wide"}, SNOW | {"size": 20, "from": 0},
    ]  # fmt: skip
    assert [(part.expression, part.policy) for part in many.parts] == [
        ("books", "books*"), ("books", "books*"), ("nope", ""), ("wide", "wide"),
    ]  # fmt: skip


async def test_unchanged_lines_keep_every_byte() -> None:
    """Blanks and empty headers too."""
    odd = b' {"size" : 1, "sort":"n"} \n'
    world = World(told(good(), good()))
    await world.search(b"{}\n" + odd + b"\n" + json.dumps(SNOW).encode() + b"\n")
    sent = world.upstream.asked[0].body
    assert isinstance(sent, bytes)
    assert sent.startswith(b"{}\n" + odd + b"\n")


async def test_nothing_to_rerank() -> None:
    """Elasticsearch is not asked here; the original goes on as it came."""
    world = World()
    many = await world.search(lines({}, {"size": 0}, {}, SNOW), asked=((b"x-rerank-mode", b"off"),))
    assert many.answer is None
    assert many.header() == "passed-through;reason=mode-off, passed-through;reason=mode-off"
    assert (await world.search(b"{}\n{}")).header() == "passed-through;reason=unsupported"
    assert (await world.search(lines({}, []))).header() == "passed-through;reason=not-json"
    for headers in ((), (*LINES, (b"content-encoding", b"br"))):
        assert (await world.search(lines({}, SNOW), headers=headers)).header() == "passed-through;reason=not-json"


async def test_the_query_header_is_not_for_many() -> None:
    """Each search has words of its own."""
    world = World(told(good()))
    await world.search(lines({}, SNOW), asked=((b"x-rerank-query", b"something%20else"),))
    assert world.scorer.jobs[0].query == "snow"


async def test_reranked_together() -> None:
    """All jobs are with the scorer before any is done."""
    scorer = FakeScorer(0.0, 1.0, 2.0)
    world = World(told(good(), good()), scorer=scorer)
    await world.search(lines({}, SNOW, {}, {"query": {"match": {"title": "ice"}}}))
    assert [job.query for job in scorer.jobs] == ["snow", "ice"]


async def test_a_widened_search_that_fails_is_asked_for_again() -> None:
    """Alone, as it came; the others are reranked, and the failure counts against its expression only."""
    world = World(told(FAILED, good()), told(good(marked=2)))
    many = await world.search(lines({"index": "wide"}, SNOW | {"size": 1}, {}, SNOW))
    assert many.header() == "fell-back;reason=widening-refused, reranked;window=3;scored=3"
    found = responses(many)
    assert (found[0]["marked"], ids(found[1])) == (2, ["3", "2", "1"])
    assert world.sent(1) == [{"index": "wide"}, SNOW | {"size": 1}]
    for _ in range(2):
        world.upstream.answer = Later(told(FAILED), told(good()))
        await world.search(lines({"index": "wide"}, SNOW | {"size": 1}))
    assert (await world.search(lines({"index": "wide"}, SNOW))).header() == "passed-through;reason=widening-refused"


class Later:
    """Answers in turn."""

    def __init__(self, *answers: UpstreamResponse) -> None:
        self.answers = list(answers)

    def __call__(self, request: UpstreamRequest) -> UpstreamResponse:
        return self.answers.pop(0)


@pytest.mark.parametrize("shards", [{"total": 2, "successful": 1, "skipped": 0, "failed": 1}])
async def test_missing_shards_are_asked_for_again(shards: dict[str, int]) -> None:
    """Hits of theirs would be missing."""
    many = await World(told(good(_shards=shards)), told(good(marked=1))).search(lines({}, SNOW))
    assert many.header() == "fell-back;reason=widening-refused"
    assert responses(many)[0]["marked"] == 1


@pytest.mark.parametrize(
    "second",
    [
        UpstreamUnreachable("gone"),
        told(status=503),
        told(status=400),
        told(good(), good()),
        UpstreamResponse(200, JSON, b"nonsense"),
        told(good(), headers=(*JSON, (b"content-encoding", b"snappy"))),
    ],
)
async def test_where_they_cannot_be_had_alone(second: UpstreamResponse | Exception) -> None:
    """The whole request goes out as it came."""
    many = await World(told(FAILED, good()), second).search(lines({}, SNOW, {}, SNOW))
    assert many.answer is None
    assert many.header() == "fell-back;reason=widening-refused, fell-back;reason=widening-refused"


@pytest.mark.parametrize("status", [429, 403, 404])
async def test_errors_that_no_narrower_search_would_mend(status: int) -> None:
    """Are handed on, of one search and of the whole request."""
    item = FAILED | {"status": status}
    many = await World(told(item, good())).search(lines({}, SNOW, {}, SNOW))
    assert many.header() == "passed-through;reason=upstream-error, reranked;window=3;scored=3"
    assert responses(many)[0] == item
    whole = await World(told(status=status)).search(lines({}, SNOW))
    assert whole.answer is not None
    assert (whole.answer.status, whole.header()) == (status, "passed-through;reason=upstream-error")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (told(status=400), "widening-refused"),
        (told(good(), good()), "not-json"),
        (UpstreamResponse(200, JSON, b"nonsense"), "not-json"),
        (told(good(), headers=(*JSON, (b"content-encoding", b"br"))), "not-json"),
    ],
)
async def test_a_refused_request_is_replayed(response: UpstreamResponse, reason: str) -> None:
    """As it came; where that is answered, the widening was at fault."""
    world = World(response, response, response)
    for _ in range(3):
        many = await world.search(lines({}, SNOW))
        assert many.answer is None
        assert many.header() == f"fell-back;reason={reason}"
        world.service.answered(many, 200)
    assert (await world.search(lines({}, SNOW))).header() == "passed-through;reason=widening-refused"


async def test_a_failing_model() -> None:
    """First-stage order, cut from the wide answers."""
    world = World(told(good()), scorer=FakeScorer(fault=ScorerError("dead")))
    many = await world.search(lines({}, SNOW | {"size": 2}))
    assert many.header() == "fell-back;reason=scorer-error;window=3;scored=0"
    assert ids(responses(many)[0]) == ["1", "2"]


async def test_vectors_keep_their_k() -> None:
    """A body's ``size`` would change what a kNN section without ``k`` finds."""
    knn = {"knn": {"field": "v", "query_vector": [1.0]}, "size": 3, **SNOW}
    world = World(told(good()))
    await world.search(lines({}, knn))
    assert world.sent(0)[1] == {"knn": knn["knn"] | {"k": 3}, "size": 100, "from": 0, **SNOW}
    both = {"knn": [{"field": "v"}, {"field": "w", "k": 7}], **SNOW}
    world = World(told(good()))
    await world.search(lines({}, both))
    assert [section["k"] for section in world.sent(0)[1]["knn"]] == [10, 7]


async def test_very_many_searches_are_counted() -> None:
    """So that the header stays small."""
    many = await World().search(lines(*[{}, {"size": 0}] * 60))
    assert many.header() == "passed-through;searches=60"


def test_without_policies() -> None:
    """Nothing has to be read."""
    world = World()
    assert world.service.any_policies()
    empty: Callable[[], list[Any]] = list
    assert not MultiSearchService(world.upstream, world.service._stages, empty, time.monotonic, Enrolment()).any_policies()


RETRIEVER = {
    "retriever": {
        "text_similarity_reranker": {
            "retriever": {"standard": {"query": {"match": {"title": "snow"}}}},
            "field": "title",
            "inference_text": "words",
        }
    }
}
PLAIN = {"query": {"match": {"title": "snow"}}, "from": 0, "size": 10}


async def test_retrievers_that_are_executed_here() -> None:
    """Each in its own item; what stands for them is sent where the whole request is sent again."""
    world = World(told(good(), good()))
    own = policy(indices=("own",), syntax=SyntaxPolicy(text_similarity_reranker=True))
    world.service._policies = lambda: [policy(), own]
    body = lines({"index": "own"}, RETRIEVER, {}, SNOW)
    many = await world.search(body)
    assert many.header() == "reranked;window=3;scored=3, reranked;window=3;scored=3"
    assert world.sent(0)[1] == PLAIN
    broken = World(UpstreamResponse(400, JSON, b"{}"))
    broken.service._policies = lambda: [policy(), own]
    many = await broken.search(lines({"index": "own"}, RETRIEVER, {}, {"query": {"match_all": {}}}))
    assert many.answer is None
    assert many.request is not None
    assert many.request.body == lines({"index": "own"}).rstrip() + b"\n" + json.dumps(
        PLAIN, separators=(",", ":")
    ).encode() + b"\n" + lines({}, {"query": {"match_all": {}}})
    refused = await broken.search(lines({"index": "own"}, {**RETRIEVER, "size": 0}))
    assert (refused.header(), refused.request is None) == ("passed-through;reason=size-zero", False)
