"""OpenSearch's ``query_context`` and ``search_pipeline``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from es_rerank.core.policy import SyntaxPolicy
from es_rerank.search.syntax.opensearch import translate
from tests.builders import call

BOTH = SyntaxPolicy(query_context=True, pipelines=("mine",))
MATCH = {"match": {"body": {"query": "where is it"}}}


def context(**said: Any) -> dict[str, Any]:
    return {"query": MATCH, "ext": {"rerank": {"query_context": said}}}


def test_the_text() -> None:
    """As it stands, or where a path leads; taken out with what it leaves empty."""
    found = translate(call(context(query_text="words")), BOTH)
    assert found is not None
    assert (found.query, found.off, found.dropped) == ("words", False, frozenset())
    assert json.loads(found.body or b"") == {"query": MATCH}
    found = translate(call(context(query_text_path="query.match.body.query")), BOTH)
    assert found is not None
    assert found.query == "where is it"


def test_other_sections_stay() -> None:
    """Only what is ours goes."""
    body = context(query_text="w")
    body["ext"]["other"] = {"a": 1}
    found = translate(call(body), BOTH)
    assert found is not None
    assert json.loads(found.body or b"") == {"query": MATCH, "ext": {"other": {"a": 1}}}


@pytest.mark.parametrize(
    "said", [{}, {"query_text": 5}, {"query_text": " "}, {"query_text": "a", "query_text_path": "b"}, {"other": "a"},
             {"query_text_path": "query.match.none"}, {"query_text_path": "query"}]
)  # fmt: skip
def test_malformed(said: dict[str, Any]) -> None:
    """Is the engine's to refuse."""
    assert translate(call(context(**said)), BOTH) is None


@pytest.mark.parametrize(
    "ext", [5, {}, {"rerank": 5}, {"rerank": {}}, {"rerank": {"query_context": {"query_text": "a"}, "x": 1}}]
)
def test_no_context(ext: Any) -> None:
    """Another ``ext``, or none."""
    assert translate(call({"query": MATCH, "ext": ext}), BOTH) is None


@pytest.mark.parametrize(
    ("target", "body", "off", "dropped", "left"),
    [
        ("?search_pipeline=mine", {"query": MATCH}, False, {"search_pipeline"}, None),
        ("?search_pipeline=_none", {"query": MATCH}, True, {"search_pipeline"}, None),
        ("", {"query": MATCH, "search_pipeline": "mine"}, False, set(), {"query": MATCH}),
        ("", {"query": MATCH, "search_pipeline": "_none"}, True, set(), {"query": MATCH}),
        ("?search_pipeline=mine", {"query": MATCH, "search_pipeline": "x"}, False, {"search_pipeline"}, {"query": MATCH}),
    ],
)
def test_pipelines(target: str, body: Any, off: bool, dropped: set[str], left: Any) -> None:
    """Ours are taken out, from URL and body; the URL beats the body."""
    found = translate(call(body, f"/books/_search{target}"), BOTH)
    assert found is not None
    assert (found.off, set(found.dropped)) == (off, dropped)
    assert (None if found.body is None else json.loads(found.body)) == left


@pytest.mark.parametrize(
    ("target", "body", "allowed"),
    [
        ("?search_pipeline=theirs", {}, BOTH),
        ("", {"search_pipeline": {"response_processors": []}}, BOTH),
        ("", {}, BOTH),
        ("?search_pipeline=_none", {}, SyntaxPolicy(query_context=True)),
        ("", context(query_text="a"), SyntaxPolicy(pipelines=("mine",))),
        (f"?source={quote(json.dumps(context(query_text='a')))}&source_content_type=application/json", None, BOTH),
    ],
)
def test_left_alone(target: str, body: Any, allowed: SyntaxPolicy) -> None:
    """Other pipelines, what the policy does not allow, a body in the URL."""
    assert translate(call(body, f"/books/_search{target}"), allowed) is None


def test_a_pipeline_of_many_searches() -> None:
    """Stands in the URL for all of them, whose policies may differ: the engine's own."""
    assert translate(call({"query": MATCH}, "/books/_msearch?search_pipeline=mine"), BOTH) is None


def test_no_body() -> None:
    """A search in the URL can name a pipeline."""
    found = translate(call(None, "/books/_search?q=a&search_pipeline=mine"), BOTH)
    assert found is not None
    assert found.body is None
