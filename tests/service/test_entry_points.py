"""Every way to search, on fakes: which walk serves it, and what is left alone."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.errors import UpstreamUnreachable
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.entry_points import EntryPoints
from es_rerank.service.msearch import MultiSearchService
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.served import ServedMany
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, policy
from tests.fakes import FakeScorer, FakeUpstream

LINES: Headers = ((b"Authorization", b"ApiKey k"), (b"Content-Type", b"application/json"))
JSON: Headers = ((b"Content-Type", b"application/json"),)
SNOW = {"query": {"match": {"title": "snow"}}}
HITS = answer([hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)])


def good(body: bytes = HITS, status: int = 200) -> UpstreamResponse:
    return UpstreamResponse(status, JSON, body)


def rendered(search: Any) -> UpstreamResponse:
    return good(json.dumps({"template_output": search}).encode())


class World:
    """All walks over one upstream that answers in turn."""

    def __init__(self, *answers: UpstreamResponse | Exception, rules: list[IndexPolicy] | None = None) -> None:
        left = list(answers)
        self.upstream = FakeUpstream(lambda _: left.pop(0))
        clock = time.monotonic
        found = [policy(entry_points=("search", "msearch", "template", "async_search", "typed"))] if rules is None else rules
        self.stages = Stages(FakeScorer(0.0, 1.0, 2.0), clock, Breaker(clock), Widening(clock))
        one = SearchService(self.upstream, self.stages, lambda: found, clock, Enrolment())
        self.points = EntryPoints(
            self.upstream, one, MultiSearchService(self.upstream, self.stages, lambda: found, clock, Enrolment())
        )

    async def ask(self, target: bytes, body: Any, headers: Headers = LINES) -> ServedMany:
        found = route.parse("POST", target)
        assert found is not None
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.points.search(UpstreamRequest("POST", target, headers, data), (), found)

    @property
    def targets(self) -> list[bytes]:
        return [asked.target for asked in self.upstream.asked]


def ids(many: ServedMany) -> list[str]:
    assert many.answer is not None
    found = json.loads(many.answer.body)
    return [entry["_id"] for entry in found.get("response", found)["hits"]["hits"]]


async def test_a_template_is_rendered_and_then_a_search() -> None:
    """With the caller's own credentials each time; the page is the template's."""
    world = World(rendered(SNOW | {"size": "2"}), good())
    many = await world.ask(b"/books/_search/template?size=7&routing=a", {"id": "t", "params": {}})
    assert (many.header(), ids(many)) == ("reranked;window=3;scored=3", ["3", "2"])
    assert world.targets == [b"/_render/template", b"/books/_search?routing=a&from=0&size=100"]
    assert all(asked.headers[0] == LINES[0] for asked in world.upstream.asked)
    assert world.upstream.asked[0].body == b'{"id": "t", "params": {}}'


@pytest.mark.parametrize(
    "answer", [good(b"{}", 400), good(b"{}", 403), good(b"nonsense"), rendered([]), UpstreamUnreachable("gone")]
)
async def test_what_does_not_render_passes(answer: UpstreamResponse | Exception) -> None:
    """The engine says itself what is wrong with it."""
    many = await World(answer).ask(b"/books/_search/template", {"id": "t"})
    assert many.answer is None
    assert many.header() == "passed-through;reason=unsupported"
    assert many.parts[0].policy == "books*"


async def test_odd_templates_are_not_even_rendered() -> None:
    """No body, another type, another coding, an index without a policy."""
    world = World()
    for body, headers in ((b"", LINES), (b"{}", ((b"content-type", b"application/yaml"),)), (b"{}", (*LINES, BR))):
        assert (await world.ask(b"/books/_search/template", body, headers)).header() == "passed-through;reason=unsupported"
    assert (await world.ask(b"/other/_search/template", b"{}")).header() == "passed-through;reason=no-policy"
    assert world.targets == []


BR = (b"content-encoding", b"br")


async def test_many_templates() -> None:
    """Each is rendered; then they are one ``_msearch``."""
    both = json.dumps({"took": 1, "responses": [json.loads(HITS) | {"status": 200}] * 2}).encode()
    world = World(rendered(SNOW), rendered({"size": 0}), good(both))
    body = b'{}\n{"id":"a"}\n{"index":"books"}\n{"id":"b"}\n'
    many = await world.ask(b"/books/_msearch/template?typed_keys", body)
    assert many.header() == "reranked;window=3;scored=3, passed-through;reason=size-zero"
    assert world.targets == [b"/_render/template"] * 2 + [b"/books/_msearch?typed_keys"]
    sent = world.upstream.asked[2].body
    assert isinstance(sent, bytes)
    assert [json.loads(line) for line in sent.splitlines()] == [
        {}, SNOW | {"from": 0, "size": 100}, {"index": "books"}, {"size": 0},
    ]  # fmt: skip
    assert (await World(rendered(SNOW), good(b"{}", 404)).ask(b"/_msearch/template", body)).answer is None
    assert (await World().ask(b"/_msearch/template", b"{}")).header() == "passed-through;reason=unsupported"


FINAL = b'{"is_partial":false,"is_running":false,"expiration_time_in_millis":1,"response":' + HITS + b"}"


async def test_a_final_async_answer_is_reranked() -> None:
    """Where Elasticsearch keeps nothing of it."""
    world = World(good(FINAL))
    many = await world.ask(b"/books/_async_search?size=2&wait_for_completion_timeout=1s", SNOW)
    assert (many.header(), ids(many)) == ("reranked;window=3;scored=3", ["3", "2"])
    assert many.answer is not None
    assert list(json.loads(many.answer.body)) == ["is_partial", "is_running", "expiration_time_in_millis", "response"]


async def test_an_async_search_that_is_kept_is_taken_back() -> None:
    """The widened one is deleted, with the caller's login, and the original is sent; normal searches do not suffer."""
    kept = good(FINAL.replace(b"{", b'{"id":"x=",', 1))
    world = World(*[kept, good(b"{}")] * 4, UpstreamUnreachable("gone"))
    for _ in range(4):
        many = await world.ask(b"/books/_async_search", SNOW)
        assert (many.answer, many.header()) == (None, "passed-through;reason=unsupported")
        world.points.answered(many, 200)
    deleted = world.upstream.asked[1]
    assert (deleted.method, deleted.target, deleted.headers) == ("DELETE", b"/_async_search/x%3D", LINES[:1])


async def test_an_async_search_whose_deletion_fails() -> None:
    """Passes all the same; so does one that is no answer of ``_async_search``, or will be kept by wish."""
    kept = good(FINAL.replace(b"{", b'{"id":"x",', 1))
    assert (await World(kept, UpstreamUnreachable("gone")).ask(b"/books/_async_search", SNOW)).answer is None
    assert (await World(good(HITS)).ask(b"/books/_async_search", SNOW)).answer is None
    running = good(FINAL.replace(b'running":false', b'running":true'))
    assert (await World(running).ask(b"/books/_async_search", SNOW)).answer is None
    wished = World()
    assert (await wished.ask(b"/books/_async_search?keep_on_completion=true", SNOW)).answer is None
    assert wished.targets == []


async def test_a_typed_search() -> None:
    """Is widened like any other."""
    world = World(good())
    assert ids(await world.ask(b"/books/_all/_search", SNOW)) == ["3", "2", "1"]
    assert world.targets == [b"/books/_all/_search?from=0&size=100"]


def test_what_need_not_be_read() -> None:
    """No policy for the index, none at all, or one that does not name the entry point."""
    world, empty = World(rules=[policy()]), World(rules=[])
    for target, reason in (
        (b"/books/_search", None),
        (b"/other/_search", Reason.NO_POLICY),
        (b"/books/_async_search", Reason.ENTRY_POINT),
        (b"/books/t/_search", Reason.ENTRY_POINT),
        (b"/books/_search/template", None),
        (b"/other/_msearch", None),
    ):
        found = route.parse("POST", target)
        assert found is not None
        assert world.points.uncovered(found) == (reason and Passthrough(reason))
    many = route.parse("POST", b"/_msearch")
    assert many is not None
    assert empty.points.uncovered(many) == Passthrough(Reason.NO_POLICY)


async def test_msearch_where_the_policy_does_not_name_it() -> None:
    """Its searches pass through, each by itself."""
    world = World(rules=[policy(entry_points=("search",))])
    body = b"{}\n" + json.dumps(SNOW).encode() + b"\n"
    assert (await world.ask(b"/books/_msearch", body)).header() == "passed-through;reason=entry-point"


def test_a_fault_of_ours() -> None:
    """Leaves the request to Elasticsearch, and says so."""
    found = route.parse("POST", b"/_search")
    assert found is not None
    many = World().points.fell_back(found)
    assert (many.answer, many.header(), many.parts[0].expression) == (None, "fell-back;reason=internal-error", "_all")
