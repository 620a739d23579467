"""The fake scorer."""

from __future__ import annotations

from es_rerank.scoring.fake import FakeBackend


def test_overlap() -> None:
    """All words, half of them, none; no words to look for."""
    score = FakeBackend().score
    all_, half, none = score([("cat milk", "milk cat"), ("cat milk", "milk"), ("cat milk", "tea")], 512)
    assert (all_, half, none) == (4 - 0.002, 0 - 0.001, -4 - 0.001)
    assert score([("?", "x")], 512) == [-4.001]
    assert score([("z", "a b z")], 2) == [-4.002]
