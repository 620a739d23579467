"""What other systems are asked, and what their answers say."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.dialects.providers import PROVIDERS, ProviderName, Request
from es_rerank.errors import ScorerError

ASKED = Request("q", ("a", "b"), "m", 300)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("tei", "/rerank", {"query": "q", "texts": ["a", "b"], "raw_scores": True, "truncate": True}),
        (
            "vllm",
            "/rerank",
            {"model": "m", "query": "q", "documents": ["a", "b"], "use_activation": False, "truncate_prompt_tokens": 300},
        ),
        ("infinity", "/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "raw_scores": True}),
        ("cohere", "/v2/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "max_tokens_per_doc": 300}),
        ("jina", "/v1/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "return_documents": False}),
        ("voyage", "/v1/rerank", {"model": "m", "query": "q", "documents": ["a", "b"], "truncation": True}),
    ],
)
def test_what_is_asked(name: ProviderName, path: str, body: Any) -> None:
    """In each system's own words."""
    provider = PROVIDERS[name]
    assert provider.path == path
    assert json.loads(provider.encode(ASKED)) == body


ANSWERS: dict[ProviderName, Any] = {
    "tei": [{"index": 1, "score": 2.5}, {"index": 0, "score": -3.0, "text": "a"}],
    "vllm": {
        "id": "x",
        "results": [{"index": 1, "document": {"text": "b"}, "relevance_score": 2.5}, {"index": 0, "relevance_score": -3}],
    },
    "infinity": {
        "object": "rerank",
        "results": [{"index": 1, "relevance_score": 2.5}, {"index": 0, "relevance_score": -3.0}],
    },
    "cohere": {
        "id": "x",
        "results": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}],
        "meta": {},
    },
    "jina": {"results": [{"index": 0, "relevance_score": 0.5, "document": "a"}, {"index": 1, "relevance_score": 0.75}]},
    "voyage": {"object": "list", "data": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}]},
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: ProviderName) -> None:
    """Logits in the order of the texts; shares are turned back."""
    found = PROVIDERS[name].decode(json.dumps(ANSWERS[name]).encode(), 2)
    assert found == ([-3.0, 2.5] if PROVIDERS[name].raw else [0.0, pytest.approx(math.log(3))])


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"results":5,"data":5}', b'[{"index":0}]', b'{"results":[{"index":0,"relevance_score":null}]}'],
)
def test_what_is_no_answer(name: ProviderName, data: bytes) -> None:
    """Is a fault of the scorer."""
    with pytest.raises(ScorerError):
        PROVIDERS[name].decode(data, 2)


@given(st.floats(0, 1))
def test_shares_are_numbers(share: float) -> None:
    """Also at the ends; larger shares give larger logits."""
    (low,) = PROVIDERS["cohere"].decode(json.dumps({"results": [{"index": 0, "relevance_score": share}]}).encode(), 1)
    assert math.isfinite(low)
    assert 1 / (1 + math.exp(-low)) == pytest.approx(share, abs=1e-8)
