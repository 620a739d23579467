"""The shapes of Elasticsearch's inference API."""

from __future__ import annotations

import json
from typing import Any

from es_rerank.dialects import elastic
from es_rerank.dialects.asked import Asked, Found, Refusal, Stamp


def parse(**body: Any) -> Any:
    return elastic.parse(json.dumps({"query": "q", **body}).encode())


def test_requests() -> None:
    """One input or several; the request beats the task's settings."""
    assert parse(input="a") == (Asked("q", ("a",)),)
    assert parse(input=["a", "b"], task_settings={"top_n": 1, "return_documents": True}) == (
        Asked("q", ("a", "b"), 1, True),
    )
    asked = parse(input=["a"], top_n=2, return_documents=False, task_settings={"top_n": 1, "return_documents": True})
    assert asked == (Asked("q", ("a",), 2),)
    assert isinstance(parse(input=["a"], top_n=0), Refusal)
    assert isinstance(parse(), Refusal)


def test_answers() -> None:
    """Under ``rerank``, with the text where it is wanted."""
    asked, found, stamp = Asked("q", ("a", "b"), return_texts=True), Found((0.0, 800.0)), Stamp("id", 2, "m")
    assert json.loads(elastic.answer([asked], [found], stamp)) == {
        "rerank": [{"index": 1, "relevance_score": 1.0, "text": "b"}, {"index": 0, "relevance_score": 0.5, "text": "a"}]
    }
    assert json.loads(elastic.answer([Asked("q", ("a",))], [Found((0.0,))], stamp)) == {
        "rerank": [{"index": 0, "relevance_score": 0.5}]
    }


def test_errors() -> None:
    """Elasticsearch's envelope, its own types."""
    types = {
        "invalid": (400, "validation_exception"), "unauthorized": (401, "security_exception"),
        "overloaded": (429, "es_rejected_execution_exception"), "failed": (500, "status_exception"),
    }  # fmt: skip
    for kind, (status, name) in types.items():
        cause = {"type": name, "reason": "r"}
        told = elastic.error(Refusal(kind, "r"))  # type: ignore[arg-type]
        assert told[0] == status
        assert json.loads(told[1]) == {"error": {"root_cause": [cause], **cause}, "status": status}
