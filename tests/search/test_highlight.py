"""The best passage in the hit's ``highlight``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from es_rerank.core.policy import PassagePolicy
from es_rerank.search import fusion, response
from es_rerank.search.answer import read
from es_rerank.search.highlight import highlights
from es_rerank.search.long_text import Judged
from tests.builders import answer, hit, planned, policy


def _decided(name: str | None) -> Any:
    return planned({}, policy(passage=PassagePolicy(fields=("text",), long_text="best_passage", highlight=name)))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {"best": ['it\'s "b"']}),
        ({"highlight": {"text": ["<em>x</em>"]}}, {"text": ["<em>x</em>"], "best": ['it\'s "b"']}),
        ({"highlight": {"best": ["theirs"]}}, {"best": ['it\'s "b"']}),
        ({"highlight": {}}, {"best": ['it\'s "b"']}),
    ],
)
@pytest.mark.parametrize("pretty", [False, True])
def test_an_entry_of_its_own(own: dict[str, Any], expected: dict[str, Any], pretty: bool) -> None:
    """Beside the client's own entries, in place of an equal name, or as the only one; all else stays."""
    data = answer([hit("1", 2.0, **own), hit("2", 1.0)])
    stage = read(json.dumps(json.loads(data), indent=2).encode() if pretty else data)
    decided = _decided("best")
    notes = highlights(decided, stage, ['a. it\'s "b" ', "c"], [Judged(1.0, (3, 12)), Judged()])
    written = json.loads(response.rewrite(stage, decided, fusion.first_stage(2), 0, notes))["hits"]["hits"]
    assert written[0].pop("highlight") == expected
    plain = json.loads(data)["hits"]["hits"]
    plain[0].pop("highlight", None)
    assert written == plain


def test_none_without_a_name() -> None:
    """Nothing is added where the policy asks for nothing; a whole text is its own best passage."""
    stage = read(answer([hit("1", 2.0)]))
    assert highlights(_decided(None), stage, ["a"], [Judged(1.0)]) == {}
    assert highlights(_decided("best"), stage, ["whole "], [Judged(1.0)]) == {0: ("best", "whole")}
