"""Checkpoints that several tests load: the real MiniLM cross-encoder, and a tiny random XLM-RoBERTa."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real import minilm_checkpoint, random_xlmr


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real weights, BERT's family."""
    return minilm_checkpoint.write(tmp_path_factory.mktemp("minilm"))


@pytest.fixture(scope="session")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shape of BGE-Reranker-v2-m3 in small: its vocabulary, two layers, seeded random weights."""
    pytest.importorskip("torch")
    return random_xlmr.write(tmp_path_factory.mktemp("xlmr"), random_xlmr.SMALL)
