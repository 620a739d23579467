"""Cross-encoders through OpenVINO, on Intel's and other processors; in int8 faster than 16 bits, and not exact.

``model`` is a folder with ``openvino_model.xml`` and the tokenizer's files, or a Hugging Face checkpoint, which is
converted once and kept beside the process's other caches. int8 is post-training quantisation with SmoothQuant (Xiao et
al. 2023) as NNCF does it, calibrated on the pairs of ``scoring.calibration``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import openvino

from es_rerank.core.ports import Precision
from es_rerank.errors import ModelLoadError
from es_rerank.scoring.calibration import PAIRS
from es_rerank.scoring.padded import Array, PaddedBackend, limits, padded
from es_rerank.scoring.places import unloadable
from es_rerank.scoring.tokens import PairTokenizer

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
_SAMPLE_TOKENS = 96


def load(model: str, precision: Precision) -> PaddedBackend:
    """Load a folder, converting it first where it holds no OpenVINO model; raises ModelLoadError."""
    if precision not in {"auto", *_HINTS}:
        msg = f"precision {precision} is not OpenVINO's; use auto, fp32, bf16 or int8"
        raise ModelLoadError(msg)
    folder = Path(model)
    try:
        longest, pad = limits(folder)
        tokens = PairTokenizer.load(folder)
        found = _read(folder, precision, tokens, pad)
        hint = {} if precision == "auto" else {"INFERENCE_PRECISION_HINT": _HINTS[precision]}
        compiled = openvino.Core().compile_model(found, "CPU", {"PERFORMANCE_HINT": "LATENCY", **hint})
    except ModelLoadError:
        raise
    except Exception as exc:
        raise ModelLoadError(unloadable(model, exc)) from exc
    names = [entry.get_any_name() for entry in compiled.inputs]
    request = compiled.create_infer_request()

    def run(arrays: dict[str, Array]) -> Any:  # noqa: ANN401  an array
        request.infer({name: arrays[name] for name in names})
        return request.get_output_tensor(0).data.reshape(len(arrays["input_ids"]), -1)[:, 0]

    return PaddedBackend(model, f"cpu openvino {precision}", tokens, run, longest, pad)


def _read(folder: Path, precision: Precision, tokens: PairTokenizer, pad: int) -> openvino.Model:
    """The folder's own model, one converted earlier, or one converted now."""
    if (folder / "openvino_model.xml").exists():
        return openvino.Core().read_model(folder / "openvino_model.xml")
    kept = _cache(folder, precision) / "openvino_model.xml"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        if precision == "int8":
            converted = _quantised(_read(folder, "fp32", tokens, pad), tokens, pad)
        else:
            converted = _converted(folder, tokens, pad)
        openvino.save_model(converted, kept.with_name("making.xml"), compress_to_fp16=precision == "int8")
        kept.with_name("making.bin").rename(kept.with_suffix(".bin"))
        kept.with_name("making.xml").rename(kept)
    return openvino.Core().read_model(kept)


def _cache(folder: Path, precision: Precision) -> Path:
    """A folder for the converted model, by the checkpoint's place and date."""
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "es-rerank" / "openvino"
    date = max(path.stat().st_mtime_ns for path in folder.iterdir())
    kind = "int8" if precision == "int8" else "float"
    return home / f"{folder.resolve().name}-{date:x}-{kind}"


def _converted(folder: Path, tokens: PairTokenizer, pad: int) -> openvino.Model:
    import torch  # noqa: PLC0415  only to convert
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415  only to convert

    module = AutoModelForSequenceClassification.from_pretrained(str(folder), dtype=torch.float32).eval()
    module.config.return_dict = False
    arrays = {name: torch.from_numpy(array) for name, array in _sample(tokens, pad, 2).items()}
    if module.config.model_type != "bert":
        arrays.pop("token_type_ids")
    with torch.inference_mode():
        return openvino.convert_model(module, example_input=arrays)


def _quantised(model: openvino.Model, tokens: PairTokenizer, pad: int) -> openvino.Model:
    import nncf  # noqa: PLC0415  only to quantise

    names = [entry.get_any_name() for entry in model.inputs]
    arrays = [_sample(tokens, pad, 1, start) for start in range(len(PAIRS))]
    samples = [{name: sample[name] for name in names} for sample in arrays]
    return nncf.quantize(model, nncf.Dataset(samples), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(samples))


def _sample(tokens: PairTokenizer, pad: int, count: int, start: int = 0) -> dict[str, Array]:
    pairs = [tokens.join(query, [passage], _SAMPLE_TOKENS)[0] for query, passage in PAIRS[start : start + count]]
    return padded(pairs, pad)
