"""A real ONNX model: the embedded MiniLM's int8 file beside its configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from es_rerank.errors import ModelLoadError
from es_rerank.scoring import onnx
from es_rerank.scoring.minilm import MiniLm, folder
from tests.real.texts import PAIRS

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("place", ["", "onnx"])
def test_scores_as_the_embedded_model_does(place: str, minilm: Path, tmp_path: Path) -> None:
    """The same file; its activations are scaled by batch, so some tenths may differ."""
    model = Path(shutil.copytree(minilm, tmp_path / "m", ignore=shutil.ignore_patterns("*.safetensors")))
    (model / place).mkdir(exist_ok=True)
    shutil.copy(folder() / "model.onnx", model / place / "model.onnx")
    backend = onnx.load(str(model), "auto")
    logits = backend.score([backend.prepare(query, [passage], 256)[0] for query, passage in PAIRS])
    assert logits == pytest.approx(MiniLm().score(PAIRS, 256), abs=1.0)
    assert backend.device == "cpu onnx"


def test_what_is_missing_is_named(minilm: Path, tmp_path: Path) -> None:
    """No file, a damaged file, no GPU."""
    with pytest.raises(ModelLoadError, match=r"no model\.onnx in it"):
        onnx.load(str(minilm), "cpu")
    model = Path(shutil.copytree(minilm, tmp_path / "m"))
    (model / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(ModelLoadError, match="looked in the folder"):
        onnx.load(str(model), "cpu")
    with pytest.raises(ModelLoadError, match="onnxruntime-gpu"):
        onnx.load(str(model), "cuda")
