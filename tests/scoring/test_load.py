"""Scorers by the name that the settings give them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.load import load


@pytest.mark.model
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("scorer", "device"), [("engine", "cpu fp32"), ("flagembedding", "cpu"), ("embedded", "cpu"), ("fake", "cpu")]
)
def test_each_scores(scorer: str, device: str, minilm: Path) -> None:
    """A replica, ready to score."""
    (backend,) = load(scorer, str(minilm), "cpu", "fp32")
    assert backend.device == device
    better, worse = backend.score(backend.prepare("what do cats drink", ["cats drink water", "the moon is far"], 128))
    assert better > worse


def test_without_torch_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or which scorer needs none."""
    monkeypatch.setitem(sys.modules, "es_rerank.scoring.engine", None)
    with pytest.raises(ModelLoadError, match=r"es-rerank\[model\].*--scorer embedded"):
        load("engine", "x", "cpu", "auto")


def test_a_scorer_without_a_model_here() -> None:
    """A remote one's model is loaded elsewhere."""
    with pytest.raises(ModelLoadError, match="no model in this process"):
        load("remote", "x", "cpu", "auto")
