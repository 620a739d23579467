"""When to ask twice."""

from __future__ import annotations

import pytest

from es_rerank.scoring.hedging import Hedging


def known(tokens: int = 500, seconds: float = 0.1) -> Hedging:
    """One hundred requests, of which five took ten times as long."""
    found = Hedging()
    for place in range(100):
        found.sent()
        found.took(tokens, seconds * (10 if place % 20 == 0 else 1))
    return found


def test_late_is_what_nineteen_of_twenty_are_not() -> None:
    """Measured by size; before enough is known, nothing is late."""
    assert Hedging().after(500) is None
    found = known()
    assert found.after(500) == pytest.approx(1.0)
    assert found.after(9500) == pytest.approx(10.0)
    assert known(seconds=0.00001).after(0) == 0.005


def test_one_in_a_hundred() -> None:
    """However many are late."""
    found = known()
    assert [found.take(1.0, 0.0) for _ in range(3)] == [True, False, False]
    for _ in range(101):
        found.sent()
    assert found.take(1.0, 0.0)


def test_not_where_it_is_busy() -> None:
    """A queue of half of what is left: the other place would be late as well, and the budget is not spent."""
    found = known()
    assert not found.take(1.0, 0.5)
    assert found.take(1.0, 0.49)
