"""Which hits a request pins, told by its ids."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.search.answer import read
from es_rerank.search.pinned import Pin, held, outermost, pins
from tests.builders import answer, hit

ORGANIC = {"match": {"t": "a"}}


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"query": {"pinned": {"ids": ["1", "2"], "organic": ORGANIC}}}, ((None, "1"), (None, "2"))),
        (
            {"query": {"pinned": {"docs": [{"_index": "i", "_id": "1"}, {"_id": "2"}], "organic": ORGANIC}}},
            (("i", "1"), (None, "2")),
        ),
        ({"retriever": {"pinned": {"ids": ["1"], "retriever": {}}}}, ((None, "1"),)),
        ({"query": {"pinned": {"ids": [1], "organic": ORGANIC}}}, ()),
        ({"query": {"pinned": {"docs": [{"id": "1"}], "organic": ORGANIC}}}, ()),
        ({"query": {"pinned": {"organic": ORGANIC}}}, ()),
        ({"query": {"pinned": 5}}, ()),
        ({"query": {"match": {"pinned": {"query": "a"}}}}, ()),
        ({"query": {"bool": {"must": {"pinned": {"ids": ["1"], "organic": ORGANIC}}}}}, ()),
        ({}, ()),
    ],
)
def test_pins(tree: dict[str, Any], found: tuple[Pin, ...]) -> None:
    """Only the outermost query or retriever, only where it is well formed."""
    assert pins(tree) == found
    assert (outermost(tree) is not None) == bool(found)


@pytest.mark.parametrize(
    ("fixed", "count"),
    [
        ((), 0),
        (((None, "1"),), 1),
        (((None, "2"), (None, "1")), 2),
        (((None, "2"),), 0),
        ((("books", "1"), ("other", "2")), 1),
        (((None, "1"), (None, "2"), (None, "3")), 3),
    ],
)
def test_held(fixed: tuple[Pin, ...], count: int) -> None:
    """The hits at the head, as many as are pinned one after another."""
    stage = read(answer([hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)]))
    assert held(stage, fixed) == count


def test_a_hit_without_an_id() -> None:
    """Is pinned by nothing."""
    stage = read(b'{"took":1,"timed_out":false,"_shards":{"failed":0},"hits":{"hits":[{"_index":"i","_score":1.0}]}}')
    assert held(stage, ((None, "1"),)) == 0
