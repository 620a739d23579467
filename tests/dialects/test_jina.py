"""Jina's shapes."""

from __future__ import annotations

import json
from typing import Any

from es_rerank.dialects import jina
from es_rerank.dialects.asked import Asked, Found, Refusal, Stamp


def parse(**body: Any) -> Any:
    return jina.parse(json.dumps({"query": "q", **body}).encode())


def test_whose_request_it_is() -> None:
    """The model's name tells."""
    assert jina.speaks(b'{"model":"jina-reranker-v2-base-multilingual"}')
    assert not jina.speaks(b'{"model":"rerank-v3.5"}')
    assert not jina.speaks(b'{"query":"jina"}')
    assert not jina.speaks(b"[")


def test_requests() -> None:
    """Strings and objects, echoed unless that is not wanted."""
    assert parse(documents=["a", {"text": "b"}], model="m") == (Asked("q", ("a", "b"), return_texts=True, model="m"),)
    assert parse(query={"text": "x"}, documents=["a"], return_documents=False, top_n=1) == (Asked("x", ("a",), 1),)
    assert isinstance(parse(documents=[]), Refusal)
    assert isinstance(parse(documents=[{"image": "u"}]), Refusal)


def test_answers() -> None:
    """Tokens counted; the model that was asked for, else the one that is served."""
    stamp = Stamp("id", 2, "served")
    answer = json.loads(jina.answer([Asked("q", ("a",), return_texts=True, model="m")], [Found((0.0,), (), 7)], stamp))
    result = {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}
    assert answer == {"id": "id", "model": "m", "usage": {"total_tokens": 7}, "results": [result]}
    bare = json.loads(jina.answer([Asked("q", ("a",))], [Found((0.0,))], stamp))
    assert (bare["model"], bare["results"]) == ("served", [{"index": 0, "relevance_score": 0.5}])


def test_errors() -> None:
    """Under ``detail``; what cannot be read is 422."""
    assert jina.error(Refusal("invalid", "r")) == (422, b'{"detail":"r"}')
    assert jina.error(Refusal("unauthorized", "r")) == (401, b'{"detail":"r"}')
