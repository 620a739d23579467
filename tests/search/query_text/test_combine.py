"""Several texts → one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search.query_text.combine import MAX_QUERY_CHARACTERS, combine


@pytest.mark.parametrize(
    ("texts", "how", "expected"),
    [
        (["a  b", "A b"], "join", "a b"),
        (["cat", "category"], "join", "cat category"),
        (["big cat", "cat"], "join", "big cat"),
        (["猫咪", "猫咪能不能喝牛奶"], "join", "猫咪能不能喝牛奶"),
        (["x", "long one", "y"], "longest", "long one"),
        (["x", "y"], "first", "x"),
        (["x", "y"], "skip", None),
        (["x"], "skip", "x"),
        (["", "?!", "  "], "join", None),
        ([], "join", None),
    ],
)
def test_combinations(texts: list[str], how: str, expected: str | None) -> None:
    """Repetitions and contained texts count once, at word borders."""
    assert combine(texts, how) == expected  # type: ignore[arg-type]


@given(st.lists(st.text()))
def test_never_too_long_never_blank(texts: list[str]) -> None:
    """What comes out is worth sending to a model."""
    text = combine(texts, "join")
    assert text is None or (0 < len(text) <= MAX_QUERY_CHARACTERS and text == text.strip())
