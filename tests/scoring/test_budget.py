"""How much may be sent again."""

from __future__ import annotations

from es_rerank.scoring.budget import Budget


def test_a_share_and_a_burst() -> None:
    """The burst is there at once, then a share of what is sent; it never grows past the burst."""
    found = Budget(share=0.5, burst=2)
    assert [found.take() for _ in range(3)] == [True, True, False]
    found.sent()
    assert not found.take()
    found.sent()
    assert found.take()
    for _ in range(99):
        found.sent()
    assert [found.take() for _ in range(3)] == [True, True, False]


def test_one_in_a_hundred() -> None:
    """In the long run."""
    found = Budget(share=0.01, burst=1)
    taken = 0
    for _ in range(10_000):
        found.sent()
        taken += found.take()
    assert 99 <= taken <= 102
