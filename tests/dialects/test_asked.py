"""What every dialect comes down to."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.scores import sigmoid
from es_rerank.dialects import cohere, elastic, jina, tei, vllm
from es_rerank.dialects.asked import (
    MOST_TEXTS,
    STATUSES,
    Asked,
    Body,
    Dialect,
    Found,
    Refusal,
    Stamp,
    Text,
    checked,
    lacking,
    plain,
    ranked,
    read,
)

ALL: list[Dialect] = [tei, cohere.v1, cohere.v2, jina, vllm.score, vllm.rerank, elastic]
ASKED = Asked("q", ("a", "b", "c"))


def test_ranked() -> None:
    """Best first, ties in the order of the texts, no place for what has no logit."""
    assert ranked(ASKED, Found((0.0, None, 2.0))) == [(2, sigmoid(2.0)), (0, 0.5)]
    raw = msgspec.structs.replace(ASKED, raw_scores=True)
    assert ranked(raw, Found((1.0, 3.0, 3.0))) == [(1, 3.0), (2, 3.0), (0, 1.0)]
    assert ranked(raw, Found((math.nan, math.inf, -1.0))) == [(2, -1.0)]
    assert ranked(msgspec.structs.replace(raw, top_n=1), Found((1.0, 3.0, 3.0))) == [(1, 3.0)]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_sigmoid(logit: float) -> None:
    """In [0, 1], symmetric, for any number."""
    assert 0 <= sigmoid(logit) <= 1
    assert sigmoid(logit) + sigmoid(-logit) == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "found", "kind"),
    [
        ({}, Found((1.0, 2.0, 3.0)), None),
        ({}, Found((1.0, None, 3.0)), "overloaded"),
        ({"partial": True}, Found((1.0, None, 3.0)), None),
        ({}, Found((1.0, math.nan, 3.0)), "failed"),
        ({"partial": True}, Found((1.0, math.nan, 3.0)), None),
        ({}, Found((1.0, 2.0, 3.0), (True, False, False)), None),
        ({"truncate": False}, Found((1.0, 2.0, 3.0), (True, False, False)), "too-long"),
        ({"truncate": False}, Found((1.0, 2.0, 3.0), (False,) * 3), None),
    ],
)
def test_lacking(asked: dict[str, Any], found: Found, kind: str | None) -> None:
    """What is missing for an answer."""
    refusal = lacking(msgspec.structs.replace(ASKED, **asked), found)
    assert (refusal and refusal.kind) == kind


@pytest.mark.parametrize(
    ("query", "count", "top_n", "kind"),
    [
        ("q", 1, None, None), ("q", MOST_TEXTS, 1, None), (" ", 1, None, "empty"), ("q", 0, None, "empty"),
        ("q", MOST_TEXTS + 1, None, "invalid"), ("q", 1, 0, "invalid"),
    ],
)  # fmt: skip
def test_checked(query: str, count: int, top_n: int | None, kind: str | None) -> None:
    """Query, number of texts, number of results."""
    refusal = checked(query, ["t"] * count, top_n)
    assert (refusal and refusal.kind) == kind


def test_plain() -> None:
    """Strings and objects."""
    assert plain(["a", Text("b")]) == ("a", "b")


class Shape(Body, frozen=True):
    number: int


def test_read() -> None:
    """Unknown keys are left alone; what is wrong is said with its place."""
    assert read(b'{"number":1,"other":2}', Shape) == Shape(1)
    assert read(b'{"number":"x"}', Shape) == Refusal("invalid", "Expected `int`, got `str` - at `$.number`")
    assert isinstance(read(b"{" * 9, Shape), Refusal)


@pytest.mark.parametrize("dialect", ALL)
@given(st.binary(max_size=40))
def test_any_bytes(dialect: Dialect, body: bytes) -> None:
    """Are a request or a refusal."""
    assert isinstance(dialect.parse(body), tuple | Refusal)


@pytest.mark.parametrize("dialect", ALL)
def test_errors(dialect: Dialect) -> None:
    """Every kind has a status from 400 up and a body that says what is wrong."""
    for kind in STATUSES:
        status, body = dialect.error(Refusal(kind, "what is wrong"))
        assert 400 <= status < 600
        assert b'"what is wrong"' in body
        msgspec.json.decode(body)


@pytest.mark.parametrize("dialect", ALL)
def test_nothing_to_score(dialect: Dialect) -> None:
    """Is refused in each."""
    for body in ({"query": "q", "texts": [], "documents": [], "input": [], "queries": "q"}, {}):
        assert isinstance(dialect.parse(msgspec.json.encode(body)), Refusal)


STAMP = Stamp("1", 2, "m")
