"""FlagEmbedding for real: the MiniLM cross-encoder as a Hugging Face checkpoint, and a tiny random XLM-RoBERTa."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from es_rerank.errors import ModelLoadError, ScorerError
from es_rerank.scoring.backend import OutOfMemory
from es_rerank.scoring.minilm import MiniLm

flagembedding = pytest.importorskip("es_rerank.scoring.flagembedding")
pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore"),  # what these libraries say of themselves
]

PAIRS = [
    ("what is a panda?", "hi"),
    ("what is a panda?", "The giant panda is a bear species endemic to China."),
    ("what do cats drink", "Cats drink water. " * 100),
    ("what do cats drink", ""),
]


def test_real_weights_agree_with_onnx(minilm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same model through torch in fp32 and through ONNX Runtime in int8; no progress bars."""
    backend = flagembedding.FlagEmbeddingBackend(str(minilm), "cpu")
    capfd.readouterr()
    logits = backend.score(PAIRS, 256)
    assert capfd.readouterr().err == ""
    assert logits == pytest.approx(MiniLm().score(PAIRS, 256), abs=1.2)
    assert backend.score(PAIRS[:1], 256) == pytest.approx(logits[:1], abs=1e-3)
    assert backend.score([], 256) == []
    assert (backend.name, backend.device) == (str(minilm), "cpu")
    again = flagembedding.FlagEmbeddingBackend(str(minilm), "auto")
    assert again.score(PAIRS, 256) == pytest.approx(logits, abs=1e-2)


def test_xlm_roberta_reads_chinese(xlmr: Path) -> None:
    """Finite logits, in the order of the pairs, whatever the batch."""
    backend = flagembedding.FlagEmbeddingBackend(str(xlmr), "cpu")
    pairs = [("猫咪能不能喝牛奶?", "成年猫大多乳糖不耐受。"), ("猫咪能不能喝牛奶?", "今天天气很好。" * 300)]
    logits = backend.score(pairs, 512)
    assert backend.score(pairs[::-1], 512) == pytest.approx(logits[::-1], abs=1e-4)


def test_a_model_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One message: what, where it was looked for, the ways out."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for model, looked in ((str(tmp_path), f"in the folder {tmp_path}"), ("/nowhere/x", "which does not exist")):
        with pytest.raises(ModelLoadError) as caught:
            flagembedding.FlagEmbeddingBackend(model, "cpu")
        assert model in str(caught.value)
        assert looked in str(caught.value)
        for way in ("--model", "ModelScope", "HF_ENDPOINT", "HF_HUB_OFFLINE", "ES_RERANK_SCORER"):
            assert way in str(caught.value)


def test_an_embedder_is_refused(minilm: Path, tmp_path: Path) -> None:
    """Its head would be random."""
    shutil.copytree(minilm, tmp_path / "m")
    config: dict[str, Any] = json.loads((tmp_path / "m/config.json").read_text())
    (tmp_path / "m/config.json").write_text(json.dumps(config | {"architectures": ["BertModel"]}))
    with pytest.raises(ModelLoadError, match="is no cross-encoder"):
        flagembedding.FlagEmbeddingBackend(str(tmp_path / "m"), "cpu")


def test_devices() -> None:
    """Auto takes CUDA where there is some; asking for what is not there is a fault."""
    assert flagembedding._device("auto", cuda=True) == "cuda:0"
    assert flagembedding._device("auto", cuda=False) == "cpu"
    assert flagembedding._device("cuda", cuda=True) == "cuda:0"
    with pytest.raises(ModelLoadError, match="sees no CUDA device"):
        flagembedding._device("cuda:1", cuda=False)


def test_faults_while_scoring(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of memory is told apart from everything else."""
    import torch

    backend = flagembedding.FlagEmbeddingBackend(str(minilm), "cpu")

    def failing(fault: Exception) -> Any:
        def fail(*_: Any, **__: Any) -> None:
            raise fault

        return fail

    monkeypatch.setattr(backend._reranker, "compute_score", failing(torch.OutOfMemoryError("full")))
    with pytest.raises(OutOfMemory):
        backend.score(PAIRS, 256)
    monkeypatch.setattr(backend._reranker, "compute_score", failing(ValueError("odd")))
    with pytest.raises(ScorerError, match="ValueError: odd"):
        backend.score(PAIRS, 256)
