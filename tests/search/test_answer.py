"""Taking an answer apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.errors import AnswerUnreadable
from es_rerank.search.answer import FirstStage, read
from tests.builders import answer, hit


def test_hits_in_their_order() -> None:
    """Index, score and members of each hit; what is wanted is decoded on request."""
    stage = read(answer([hit("1", 2.5), hit("2", 1.5, index="other", _id="2")]))
    assert [(found.index, found.score) for found in stage.hits] == [("books", 2.5), ("other", 1.5)]
    assert stage.raw(stage.hits[0], "_source") == {"title": "title 1"}
    assert stage.raw(stage.hits[0], "fields") is None
    assert not stage.partial


def test_partial_answers() -> None:
    """Failed shards and time-outs are seen."""
    failed = {"total": 2, "successful": 1, "skipped": 0, "failed": 1}
    assert read(answer([], _shards=failed)).partial
    assert read(answer([], timed_out=True)).partial


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"error":{}}',
        b'{"hits":3}',
        answer([hit("1", 1.0)]).replace(b'"_score":1.0', b'"_score":null'),
        answer([hit("1", 1.0)]).replace(b'"_index":"books",', b""),
        answer([hit("1", 1.0)]).replace(b'{"title"', b'/*x*/{"title"'),
        answer([hit("1", 1.0)]).replace(b'"failed":0', b'"failed":null'),
        b"[" * 100_000,
    ],
)
def test_refused(data: bytes) -> None:
    """What is not a search answer of scored hits in strict JSON."""
    with pytest.raises(AnswerUnreadable):
        read(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a stage or AnswerUnreadable."""
    try:
        assert isinstance(read(data), FirstStage)
    except AnswerUnreadable:
        return
