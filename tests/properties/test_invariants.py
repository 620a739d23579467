"""The invariants of ``docs/architecture.md`` as properties of the whole walk, over a small Elasticsearch that pages.

6 (pass-through) is held on sockets in tests/app/test_proxy.py, 7 and 8 (batches, waiters) in tests/scoring; 9 belongs to
experiments, which are not built yet; 10 (any bytes) stands beside each parser.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.policy import FusionPolicy, IndexPolicy, ScorePolicy
from es_rerank.core.ports import Scored, ScoringJob, UpstreamRequest, UpstreamResponse
from es_rerank.core.scores import float32, shortest
from es_rerank.errors import ScorerError
from es_rerank.search import route
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.stages import Stages
from tests.builders import answer, hit, policy, resolved
from tests.fakes import FakeUpstream

JSON = ((b"content-type", b"application/json"),)


def engine(hits: list[dict[str, Any]]) -> FakeUpstream:
    """Answers ``from`` and ``size`` as Elasticsearch does: the URL beats the body."""

    def respond(request: UpstreamRequest) -> UpstreamResponse:
        found = route.parse(request.method, request.target)
        assert found is not None
        body = json.loads(request.body) if isinstance(request.body, bytes) and request.body else {}
        start = int(found.parameter("from") or body.get("from", 0))
        size = int(found.parameter("size") or body.get("size", 10))
        whole = json.loads(answer(hits))
        whole["hits"]["hits"] = hits[start : start + size]
        return UpstreamResponse(200, JSON, msgspec.json.encode(whole))

    return FakeUpstream(respond)


class TableScorer:
    """Logits by passage; None in the table: not scored in time."""

    def __init__(self, table: dict[str, float | None], *, fails: bool) -> None:
        self.table = table
        self.fails = fails

    async def score(self, job: ScoringJob) -> Scored:
        if self.fails:
            raise ScorerError("dead")
        return Scored(tuple(self.table[passage] for passage in job.passages))


class Case(msgspec.Struct):
    """Hits in first-stage order, and what the model says of each."""

    scores: list[float]
    logits: list[float | None]
    textless: list[bool]

    @property
    def hits(self) -> list[dict[str, Any]]:
        """Own scores fall; some hits have no text."""
        own = sorted(self.scores, reverse=True)
        return [
            hit(str(place), score, _source={} if self.textless[place] else {"title": f"t{place}"})
            for place, score in enumerate(own)
        ]

    @property
    def table(self) -> dict[str, float | None]:
        """By passage."""
        return {f"t{place}": logit for place, logit in enumerate(self.logits)}


def cases(*, partial: bool) -> st.SearchStrategy[Case]:
    logit = st.one_of(st.none(), st.floats(-12, 12)) if partial else st.floats(-12, 12)
    entry = st.tuples(st.floats(0, 30), logit, st.booleans())
    return st.lists(entry, min_size=1, max_size=40).map(
        lambda rows: Case([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    )


policies = st.builds(
    lambda window, method, activation, missing: policy(
        rank_window_size=window,
        fusion=FusionPolicy(method=method, weight=0.7),
        score=ScorePolicy(activation=activation),
        passage=msgspec.structs.replace(policy().passage, missing=missing),
    ),
    st.integers(1, 30),
    st.sampled_from(["replace", "weighted", "rrf"]),
    st.sampled_from(["elastic", "sigmoid"]),
    st.sampled_from(["below", "in_place"]),
)


def ask(case: Case, rules: IndexPolicy, start: int, size: int, *, fails: bool = False) -> dict[str, Any]:
    """One page through the service; what passes through is answered by the engine itself."""
    upstream = engine(case.hits)
    clock = time.monotonic
    stages = Stages(TableScorer(case.table, fails=fails), clock, Breaker(clock), Widening(clock))
    service = SearchService(upstream, stages, lambda: [rules], clock, Enrolment())
    body = msgspec.json.encode({"query": {"match": {"title": "t"}}, "from": start, "size": size})
    original = UpstreamRequest("POST", b"/books/_search", JSON, body)
    found = route.parse("POST", b"/books/_search")
    assert found is not None
    served = asyncio.run(service.search(original, (), found, resolved(rules)))
    data = served.answer.body if served.answer else upstream.answer(original).body  # type: ignore[union-attr]
    decoded: dict[str, Any] = json.loads(data)
    decoded.pop("took")
    return decoded


@given(cases(partial=False), policies, st.integers(0, 45), st.integers(1, 20))
def test_1_fallback_is_invisible(case: Case, rules: IndexPolicy, start: int, size: int) -> None:
    """With a failing scorer the answer is Elasticsearch's own, for any page."""
    whole = json.loads(answer(case.hits))
    whole.pop("took")
    whole["hits"]["hits"] = whole["hits"]["hits"][start : start + size]
    assert ask(case, rules, start, size, fails=True) == whole


@given(cases(partial=True), policies)
def test_2_a_permutation_of_untouched_hits(case: Case, rules: IndexPolicy) -> None:
    """Every hit once, equal but for ``_score``; the rest of the answer untouched."""
    found, whole = ask(case, rules, 0, 50), json.loads(answer(case.hits))
    bare = [[{**entry, "_score": 0} for entry in part["hits"]["hits"]] for part in (found, whole)]
    assert sorted(bare[0], key=lambda entry: int(entry["_id"])) == bare[1]
    for part in (found, whole):
        part.pop("took", None)
        part["hits"].pop("hits")
        part["hits"].pop("max_score")
    assert found == whole


@given(cases(partial=True), policies, st.integers(1, 15))
def test_3_pages_join_to_the_whole(case: Case, rules: IndexPolicy, size: int) -> None:
    """Disjoint, complete, in the order of the whole, up to the window; behind it Elasticsearch's own."""
    whole = [entry["_id"] for entry in ask(case, rules, 0, 50)["hits"]["hits"]]
    joined: list[str] = []
    for start in range(0, 45, size):
        joined += [entry["_id"] for entry in ask(case, rules, start, size)["hits"]["hits"]]
    assert joined == whole


@given(cases(partial=False), policies)
def test_4_ties_keep_the_first_stage_order(case: Case, rules: IndexPolicy) -> None:
    """Equal logits everywhere: nothing scored overtakes anything scored."""
    case.logits = [1.0] * len(case.logits)
    case.textless = [False] * len(case.textless)
    assert [int(entry["_id"]) for entry in ask(case, rules, 0, 50)["hits"]["hits"]] == list(range(len(case.scores)))


@given(cases(partial=True), policies)
def test_5_scores(case: Case, rules: IndexPolicy) -> None:
    """Finite, ≥ 0, non-increasing, float32; the best of them is ``max_score``."""
    found = ask(case, rules, 0, 50)["hits"]
    scores = [entry["_score"] for entry in found["hits"]]
    if any(
        logit is not None and not case.textless[place] for place, logit in enumerate(case.logits[: rules.rank_window_size])
    ):
        assert scores == sorted(scores, reverse=True)
        assert found["max_score"] == scores[0]
        assert all(score >= 0 and float(shortest(float32(score))) == score for score in scores)
