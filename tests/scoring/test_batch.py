"""How many pairs fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from es_rerank.scoring.batch import estimate, fit

costs = st.lists(st.integers(1, 600), max_size=40)


@given(costs, st.integers(1, 2000))
def test_never_empty_never_over_budget(waiting: list[int], budget: int) -> None:
    """A queue that is not empty gives a pair; more than one only within the budget."""
    count = fit(waiting, budget)
    assert (count == 0) == (waiting == [])
    assert count <= 1 or sum(waiting[:count]) <= budget
    assert count == len(waiting) or sum(waiting[: count + 1]) > budget


def test_estimates() -> None:
    """English, Chinese, and the limit of the model."""
    assert estimate(("", "a" * 400), 512) == 104
    assert estimate(("", "猫" * 300), 512) == 204
    assert estimate(("", "a" * 40_000), 512) == 512
