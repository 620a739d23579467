"""Cross-encoders in ONNX format, through ONNX Runtime: a folder with ``model.onnx`` and the tokenizer's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.padded import Array, PaddedBackend, limits
from es_rerank.scoring.places import unloadable
from es_rerank.scoring.tokens import PairTokenizer


def load(model: str, device: str) -> PaddedBackend:
    """Load a folder, on a GPU where this build of ONNX Runtime has one; raises ModelLoadError."""
    folder = Path(model)
    try:
        path = next(path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path.exists())
    except StopIteration:
        missing = FileNotFoundError("no model.onnx in it, nor in its folder onnx")
        raise ModelLoadError(unloadable(model, missing)) from None
    known = onnxruntime.get_available_providers()
    gpu = "CUDAExecutionProvider" in known and device != "cpu"
    if device.startswith("cuda") and not gpu:
        msg = f"device {device} was asked for, but this ONNX Runtime has {', '.join(known)}; pip install onnxruntime-gpu"
        raise ModelLoadError(msg)
    try:
        session = onnxruntime.InferenceSession(
            str(path), providers=["CUDAExecutionProvider"] if gpu else ["CPUExecutionProvider"]
        )
        names = {entry.name for entry in session.get_inputs()}

        def run(arrays: dict[str, Array]) -> Any:  # noqa: ANN401  an array
            found = session.run(None, {name: array for name, array in arrays.items() if name in names})
            return found[0].reshape(len(arrays["input_ids"]), -1)[:, 0]

        longest, pad = limits(folder)
        tokens = PairTokenizer.load(folder)
    except ModelLoadError:
        raise
    except Exception as exc:
        raise ModelLoadError(unloadable(model, exc)) from exc
    return PaddedBackend(model, "cuda onnx" if gpu else "cpu onnx", tokens, run, longest, pad)
