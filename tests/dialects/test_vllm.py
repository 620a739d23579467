"""vLLM's shapes: pairs under four names, and its own rerank."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.core.scores import sigmoid
from es_rerank.dialects import vllm
from es_rerank.dialects.asked import Asked, Found, Refusal, Stamp

STAMP = Stamp("id", 2, "served")


def score(**body: Any) -> Any:
    return vllm.score.parse(json.dumps(body).encode())


@pytest.mark.parametrize(
    "names", [("text_1", "text_2"), ("queries", "documents"), ("queries", "items"), ("data_1", "data_2")]
)
def test_pairs(names: tuple[str, str]) -> None:
    """One against one, one against many, many against as many."""
    left, right = names
    assert score(**{left: "q", right: "a"}) == (Asked("q", ("a",)),)
    assert score(**{left: ["q"], right: ["a", "b"]}) == (Asked("q", ("a", "b")),)
    assert score(**{left: ["q", "r"], right: ["a", "b"]}) == (Asked("q", ("a",)), Asked("r", ("b",)))
    assert isinstance(score(**{left: ["q", "r"], right: ["a"]}), Refusal)
    assert isinstance(score(**{left: "q"}), Refusal)
    assert isinstance(score(**{left: "q", right: []}), Refusal)


def test_lengths_and_activation() -> None:
    """-1 is as much as the model reads."""
    assert score(text_1="q", text_2="a", truncate_prompt_tokens=-1)[0].max_length == 8192
    assert score(text_1="q", text_2="a", truncate_prompt_tokens=3)[0].max_length == 16
    assert score(text_1="q", text_2="a", use_activation=False)[0].raw_scores
    assert isinstance(score(text_1="q", text_2="a", truncate_prompt_tokens=-2), Refusal)


def test_scores() -> None:
    """In the order of the pairs."""
    asked = [Asked("q", ("a", "b"), model="m"), Asked("r", ("c",), raw_scores=True)]
    answer = json.loads(vllm.score.answer(asked, [Found((0.0, 1.0), (), 3), Found((5.0,), (), 4)], STAMP))
    assert answer == {
        "id": "score-id", "object": "list", "created": 2, "model": "m",
        "data": [
            {"index": place, "object": "score", "score": value} for place, value in enumerate([0.5, sigmoid(1.0), 5.0])
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }  # fmt: skip


def test_rerank() -> None:
    """Documents are always echoed; ``top_n`` 0 is all."""
    asked = vllm.rerank.parse(b'{"query":"q","documents":["a",{"text":"b"}],"top_n":0,"priority":0}')
    assert asked == (Asked("q", ("a", "b"), return_texts=True),)
    answer = json.loads(vllm.rerank.answer(asked, [Found((0.0, 1.0), (), 3)], STAMP))
    assert answer == {
        "id": "rerank-id", "model": "served", "usage": {"prompt_tokens": 3, "total_tokens": 3},
        "results": [
            {"index": 1, "document": {"text": "b"}, "relevance_score": sigmoid(1.0)},
            {"index": 0, "document": {"text": "a"}, "relevance_score": 0.5},
        ],
    }  # fmt: skip
    assert isinstance(vllm.rerank.parse(b'{"query":"q","documents":[]}'), Refusal)
    assert isinstance(vllm.rerank.parse(b'{"query":"q","documents":["a"],"top_n":-1}'), Refusal)


def test_errors() -> None:
    """OpenAI's shape, the same for both."""
    for dialect in (vllm.score, vllm.rerank):
        status, body = dialect.error(Refusal("overloaded", "r"))
        assert status == 429
        assert json.loads(body) == {"error": {"message": "r", "type": "RateLimitError", "param": None, "code": 429}}
