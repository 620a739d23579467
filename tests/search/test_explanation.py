"""What ``explain`` says of a reranked hit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from es_rerank.core.policy import FusionPolicy, ScorePolicy
from es_rerank.search import spans
from es_rerank.search.answer import read
from es_rerank.search.explanation import edits
from es_rerank.search.fusion import Ranked
from tests.builders import answer, hit, planned, policy

OWN: dict[str, Any] = {"value": 2.5, "description": "weight(title:snow in 0)", "details": []}
FIRST = {"value": 2.5, "description": "first stage, place 1, as Elasticsearch explains it:", "details": [OWN]}


def explained(ranked: Ranked, **keys: Any) -> Any:
    stage = read(answer([hit("1", 2.5, _explanation=OWN)]))
    found = edits(stage, planned({}, policy(**keys)), stage.hits[0], ranked)
    data = spans.replace(stage.data, found)
    return json.loads(data)["hits"]["hits"][0]["_explanation"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "second stage, elastic of the model's logit:"),
        ({"score": ScorePolicy("sigmoid")}, "second stage, sigmoid of the model's logit:"),
        ({"fusion": FusionPolicy("rrf")}, "second stage, reciprocal rank fusion of the model's order and Elasticsearch's:"),
        ({"fusion": FusionPolicy("weighted")}, "second stage, weighted sum of the model's score and Elasticsearch's:"),
    ],
)
def test_a_scored_hit(keys: dict[str, Any], said: str) -> None:
    """What the model gave, and what Elasticsearch gave."""
    assert explained(Ranked(0, 3.0, 2.0), **keys) == {
        "value": 3.0, "description": said,
        "details": [
            {"value": 2.0, "description": "the model's logit for [snow] and the hit's text", "details": []}, FIRST,
        ],
    }  # fmt: skip


def test_a_hit_without_a_logit() -> None:
    """Why it stands below."""
    found = explained(Ranked(0, 0.5))
    assert (found["value"], found["details"]) == (0.5, [FIRST])
    assert "without a score of the model" in found["description"]


def test_nothing_to_wrap() -> None:
    """A fallback keeps Elasticsearch's own; so does an answer that explains nothing."""
    assert explained(Ranked(0)) == OWN
    stage = read(answer([hit("1", 2.5)]))
    assert edits(stage, planned(), stage.hits[0], Ranked(0, 3.0, 2.0)) == {}


def test_bytes_of_the_own_one() -> None:
    """Stay as they came."""
    data = answer([hit("1", 2.5, _explanation=OWN)]).replace(b'"value":2.5,', b'"value" : 2.50,')
    stage = read(data)
    (found,) = edits(stage, planned(), stage.hits[0], Ranked(0, 3.0, 2.0)).values()
    assert b'{"value" : 2.50,' in found
    assert msgspec.json.decode(found)["value"] == 3.0
