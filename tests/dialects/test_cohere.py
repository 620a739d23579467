"""Cohere's shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.core.scores import sigmoid
from es_rerank.dialects import cohere
from es_rerank.dialects.asked import Asked, Found, Refusal, Stamp


def parse(version: cohere.Cohere, **body: Any) -> Any:
    return version.parse(json.dumps({"query": "q", **body}).encode())


def test_requests() -> None:
    """Defaults, limits; objects and echoes in version 1 only."""
    assert parse(cohere.v2, documents=["a"], model="m") == (Asked("q", ("a",), max_length=4096, model="m"),)
    asked = parse(cohere.v2, documents=["a"], top_n=2, max_tokens_per_doc=9000, return_documents=True, priority=0)
    assert asked == (Asked("q", ("a",), 2, max_length=8192),)
    assert parse(cohere.v2, documents=["a"], max_tokens_per_doc=1)[0].max_length == 16
    old = parse(cohere.v1, documents=["a", {"text": "b"}], return_documents=True)
    assert old == (Asked("q", ("a", "b"), return_texts=True, max_length=4096),)


@pytest.mark.parametrize(
    "body", [{"documents": [{"text": "b"}]}, {"documents": []}, {"documents": ["a"], "top_n": 0}, {"documents": [1]}, {}]
)
def test_refused(body: dict[str, Any]) -> None:
    """With a message."""
    refusal = parse(cohere.v2, **body)
    assert isinstance(refusal, Refusal)
    assert cohere.v2.error(refusal) == (400, json.dumps({"message": refusal.said}, separators=(",", ":")).encode())


def test_answers() -> None:
    """Results, best first, and what would have been billed: a unit for each hundred documents begun."""
    asked = Asked("q", tuple(map(str, range(101))), top_n=1)
    answer = json.loads(cohere.v2.answer([asked], [Found((1.0, *(0.0,) * 100))], Stamp("id", 2, "m")))
    assert answer == {
        "id": "id", "results": [{"index": 0, "relevance_score": sigmoid(1.0)}],
        "meta": {"api_version": {"version": "2", "is_experimental": False}, "billed_units": {"search_units": 2}},
    }  # fmt: skip
    echoed = json.loads(cohere.v1.answer([Asked("q", ("t",), return_texts=True)], [Found((0.0,))], Stamp("id", 2, "m")))
    assert echoed["results"] == [{"index": 0, "relevance_score": 0.5, "document": {"text": "t"}}]
    assert echoed["meta"]["api_version"] == {"version": "1"}
