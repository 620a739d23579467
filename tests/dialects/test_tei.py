"""The shapes of Text Embeddings Inference, and what is taken beyond them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.core.scores import sigmoid
from es_rerank.dialects import tei
from es_rerank.dialects.asked import Asked, Found, Refusal, Stamp

STAMP = Stamp("id", 2, "m")


def parse(**body: Any) -> Any:
    return tei.parse(json.dumps({"query": "q", **body}).encode())


def test_requests() -> None:
    """TEI's fields and ours."""
    assert parse(texts=["a"]) == (Asked("q", ("a",), truncate=False, max_length=512, partial=True),)
    ours: dict[str, Any] = {"deadline_ms": 5, "max_length": 64, "index": "i", "weight": 2.0}
    asked = parse(texts=["a"], raw_scores=True, return_text=True, truncate=True, truncation_direction="right", **ours)
    assert asked == (Asked("q", ("a",), return_texts=True, raw_scores=True, partial=True, **ours),)
    assert parse(query="", texts=["a"])[0].query == ""


@pytest.mark.parametrize(
    "body", [{}, {"texts": []}, {"texts": "a"}, {"texts": ["a"], "weight": 0}, {"texts": ["a"], "max_length": 1}]
)
def test_refused(body: dict[str, Any]) -> None:
    """Out of bounds or of another kind."""
    assert isinstance(parse(**body), Refusal)


def test_answers() -> None:
    """A bare list, best first; what was not scored in time is left out."""
    asked = Asked("q", ("a", "b", "c"), return_texts=True, partial=True)
    found = Found((0.0, None, 1.0), (False, False, True))
    assert json.loads(tei.answer([asked], [found], STAMP)) == [
        {"index": 2, "score": sigmoid(1.0), "text": "c", "truncated": True},
        {"index": 0, "score": 0.5, "text": "a"},
    ]
    assert json.loads(tei.answer([Asked("q", ("a",))], [Found((0.0,))], STAMP)) == [{"index": 0, "score": 0.5}]


def test_errors() -> None:
    """TEI's own kinds."""
    assert tei.error(Refusal("overloaded", "r")) == (429, b'{"error":"r","error_type":"overloaded"}')
    assert tei.error(Refusal("too-long", "r")) == (413, b'{"error":"r","error_type":"validation"}')
