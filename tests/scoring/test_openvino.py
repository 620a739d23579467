"""OpenVINO for real: a checkpoint converted once, in fp32, and quantised."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("openvino")
from es_rerank.errors import ModelLoadError
from es_rerank.scoring import engine, openvino
from tests.real.texts import PAIRS

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 2e-3), ("int8", 3.0)])
def test_converted_once(
    precision: str, tolerance: float, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logits of the engine's fp32, near in int8 and in the same order for clear cases; the second start reads the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exact = engine.load(str(minilm), "cpu", "fp32")[0]
    expected = [exact.score(exact.prepare(query, [passage], 256))[0] for query, passage in PAIRS]
    backend = openvino.load(str(minilm), precision)  # type: ignore[arg-type]
    logits = backend.score([backend.prepare(query, [passage], 256)[0] for query, passage in PAIRS])
    assert logits == pytest.approx(expected, abs=tolerance)
    assert logits[1] > logits[0] + 5
    monkeypatch.setattr(openvino, "_converted", None)
    assert openvino.load(str(minilm), precision).device == f"cpu openvino {precision}"  # type: ignore[arg-type]


def test_a_folder_that_is_converted_already(minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is read as it is."""
    import shutil

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    openvino.load(str(minilm), "fp32")
    model = Path(shutil.copytree(minilm, tmp_path / "m", ignore=shutil.ignore_patterns("*.safetensors")))
    for path in (tmp_path / "cache").rglob("openvino_model.*"):
        shutil.copy(path, model / path.name)
    assert len(openvino.load(str(model), "auto").prepare("q", ["a"], 64)) == 1


def test_what_cannot_be_done_is_named(minilm: Path, tmp_path: Path) -> None:
    """Another precision; a folder without a model."""
    with pytest.raises(ModelLoadError, match="use auto, fp32, bf16 or int8"):
        openvino.load(str(minilm), "fp16")
    with pytest.raises(ModelLoadError, match="looked in the folder"):
        openvino.load(str(tmp_path), "fp32")
