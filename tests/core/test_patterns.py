"""Which names a pattern matches."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.patterns import covers, literal_prefix, matches, overlap

globs = st.text("ab*", max_size=4)
NAMES = ["".join(letters) for size in range(9) for letters in product("ab", repeat=size)]


def test_only_the_star_is_special() -> None:
    """Dots and brackets are text."""
    assert matches("a.b*", "a.bc")
    assert not matches("a.b", "axb")
    assert matches("*", "")
    assert literal_prefix("logs-*-x*") == "logs-"
    assert literal_prefix("logs") == "logs"


@given(globs, globs)
def test_overlap_agrees_with_trying_all_names(one: str, two: str) -> None:
    """Two patterns overlap exactly if some name is matched by both."""
    assert overlap(one, two) == any(matches(one, name) and matches(two, name) for name in NAMES)


@given(globs, globs)
def test_covers_is_never_wrong_when_it_says_yes(pattern: str, other: str) -> None:
    """Every name of the covered pattern is matched by the covering one."""
    if covers(pattern, other):
        assert all(matches(pattern, name) for name in NAMES if matches(other, name))
