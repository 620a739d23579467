"""Logits that are remembered."""

from __future__ import annotations

from es_rerank.scoring.cache import ScoreCache


def test_the_least_recently_used_goes_first() -> None:
    """A look-up counts as use; the bound holds; none are kept where none may be."""
    cache = ScoreCache(2)
    cache.keep(b"a", 1.5)
    cache.keep(b"b", 0.0)
    assert cache.find(b"a") == 1.5
    cache.keep(b"c", 3.0)
    assert [cache.find(key) for key in (b"a", b"b", b"c")] == [1.5, None, 3.0]
    assert len(cache) == 2
    none = ScoreCache(0)
    none.keep(b"a", 1.0)
    assert none.find(b"a") is None
