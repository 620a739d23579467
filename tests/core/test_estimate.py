"""How many tokens, about."""

from __future__ import annotations

from es_rerank.core.estimate import estimate


def test_estimates() -> None:
    """English, Chinese, and both."""
    assert estimate(("", "a" * 400)) == 104
    assert estimate(("", "猫" * 300)) == 204
    assert estimate(("", "猫" * 300 + "a" * 400)) == 304
