"""Where a model was looked for."""

from __future__ import annotations

from es_rerank.scoring.places import unloadable


def test_a_hub_name_names_the_cache() -> None:
    """The first line of the fault, the cache, the ways out."""
    message = unloadable("BAAI/x", OSError("no way\nmore"))
    assert "in the cache" in message
    assert "no way" in message
    assert "more" not in message
    assert "HF_ENDPOINT" in message
