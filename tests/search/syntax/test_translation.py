"""What a translated search is sent as, and how it is planned."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from es_rerank.core.policy import FusionPolicy, PassagePolicy, ScorePolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.syntax.translation import Reranker, Translation
from tests.builders import call, policy, resolved

BODY = b'{"query":{"match":{"t":"a"}},"from":0,"size":3}'
LINES = ((b"content-type", b"application/json"), (b"content-length", b"9"), (b"content-encoding", b"gzip"), (b"x", b"y"))


def translation(target: str = "/books/_search", **more: Any) -> Translation:
    given: dict[str, Any] = {"body": BODY, "query": "words", "reranker": Reranker(5, "text")}
    return Translation(call({"query": {"match": {"t": "a"}}}, target), **(given | more))


def planned(found: Translation, *policies: Any, **control: Any) -> RerankPlan:
    decided = found.decide(resolved(*policies), Control(**control))
    assert isinstance(decided, RerankPlan)
    return decided


@pytest.mark.parametrize(
    ("target", "dropped", "found"),
    [
        (b"/books/_search?a=1&size=2", {"size"}, b"/books/_search?a=1"),
        (b"/books/_search?si%7Ae=1;b=%2F", {"size"}, b"/books/_search?b=%2F"),
        (b"/books/_search?size=1", {"size"}, b"/books/_search"),
        (b"/books/_search", {"size"}, b"/books/_search"),
        (b"/books/_search?a=1;b=2", set(), b"/books/_search?a=1;b=2"),
    ],
)
def test_where_it_is_sent(target: bytes, dropped: set[str], found: bytes) -> None:
    """Without the parameters that are ours."""
    request = translation(dropped=frozenset(dropped)).request(UpstreamRequest("POST", target, LINES, b"old"))
    assert (request.target, request.body, request.headers) == (found, BODY, (LINES[0], LINES[3]))


def test_the_body_as_it_came() -> None:
    """Where only the URL changed."""
    request = translation(body=None).request(UpstreamRequest("POST", b"/_search", LINES, b"old"))
    assert (request.body, request.headers) == (b"old", LINES)


def test_a_plan_in_elastics_words() -> None:
    """Its window, field, score map; nothing fused, nothing capped, no kNN widened."""
    rules = policy(
        score=ScorePolicy("sigmoid"), fusion=FusionPolicy("rrf"), min_score=3.0, rank_window_size=50,
        passage=PassagePolicy(template="{{title}}", highlight="best", long_text="best_passage", strip_html=True),
    )  # fmt: skip
    found = planned(translation(), rules, window=90, timeout_ms=70)
    assert (found.query, found.window, found.size, found.timeout_ms, found.counts_kept) == ("words", 5, 3, 70, False)
    shaped = found.policy
    assert (shaped.score.activation, shaped.fusion.method, shaped.min_score, shaped.widen.knn) == (
        "elastic",
        "replace",
        None,
        "never",
    )
    assert shaped.passage == PassagePolicy(fields=("text",), strip_html=True)
    assert found.resolved.passage_for("books") == shaped.passage
    assert planned(translation(), rules, query="by header").query == "by header"


def test_the_least_score() -> None:
    """A logit there, an activated one here; then totals count what is left."""
    found = planned(translation(reranker=Reranker(5, "text", 1.5)))
    assert (found.policy.min_score, found.counts_kept) == (2.5, True)


def test_chunks() -> None:
    """Read as passages, picked by the words that they share."""
    chunks = {"passage_tokens": 40, "stride": 0, "max_passages": 2}
    passage = planned(translation(reranker=Reranker(5, "text", None, chunks))).policy.passage
    assert (passage.long_text, passage.pick, passage.aggregate, passage.max_passages) == (
        "best_passage",
        "overlap",
        "max",
        2,
    )


def test_highlights_do_not_cap_the_window() -> None:
    """It is the request's own."""
    body = msgspec.json.encode({**msgspec.json.decode(BODY), "highlight": {"fields": {}}})
    assert planned(translation(body=body, reranker=Reranker(60, "text"))).window == 60


def test_without_a_reranker() -> None:
    """An ordinary plan with another text."""
    found = planned(translation(reranker=None), policy(rank_window_size=50))
    assert (found.query, found.window) == ("words", 50)


def test_not_planned() -> None:
    """Switched off, or nothing that can be planned."""
    assert translation(off=True).decide(resolved(), Control()) == Passthrough(Reason.MODE_OFF)
    assert translation(body=b"{").decide(resolved(), Control()) == Passthrough(Reason.NOT_JSON)
    assert translation(body=b'{"size":0}').decide(resolved(), Control()) == Passthrough(Reason.SIZE_ZERO)
    least = translation(body=b'{"size":0}', reranker=Reranker(5, "text", 1.0))
    assert least.decide(resolved(), Control()) == Passthrough(Reason.SIZE_ZERO)


def test_dropped_parameters_do_not_count() -> None:
    """The page is the body's."""
    found = planned(translation("/books/_search?size=9&from=1", dropped=frozenset({"from", "size"})))
    assert (found.start, found.size) == (0, 3)
