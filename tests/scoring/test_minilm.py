"""The English cross-encoder out of its wheel; the contract stands in test_backend."""

from __future__ import annotations

from importlib import metadata
from typing import NoReturn

import pytest

from es_rerank.errors import ModelLoadError
from es_rerank.scoring import minilm


def test_known_pairs() -> None:
    """Scores of the int8 model for the panda pair, as ONNX Runtime gives them."""
    logits = minilm.MiniLm().score(
        [("what is a panda?", "hi"), ("what is a panda?", "The giant panda is a bear species endemic to China.")], 512
    )
    assert logits == pytest.approx([-10.4, 6.0], abs=0.5)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""

    def absent(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(ModelLoadError, match="pip install"):
        minilm.MiniLm()


def test_a_broken_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """With its place."""
    monkeypatch.setattr(minilm, "folder", lambda: tmp_path)
    with pytest.raises(ModelLoadError, match=str(tmp_path)):
        minilm.MiniLm()
