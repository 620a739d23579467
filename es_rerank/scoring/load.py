"""The scorer that the settings name, loaded: a replica for each device."""

from __future__ import annotations

from collections.abc import Sequence

from es_rerank.core.ports import Precision
from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import Backend
from es_rerank.scoring.texts import Texts


def load(scorer: str, model: str, device: str, precision: Precision) -> Sequence[Backend]:
    """Load ``model`` for ``scorer`` ; raises ModelLoadError."""
    if scorer == "engine":
        return _engine(model, device, precision)
    if scorer == "onnx":
        from es_rerank.scoring.onnx import load as load_onnx  # noqa: PLC0415  an optional package

        return [load_onnx(model, device)]
    if scorer == "openvino":
        return _openvino(model, precision)
    if scorer == "embedded":
        from es_rerank.scoring.embedded import EmbeddedBackend  # noqa: PLC0415  an optional package

        return [Texts(EmbeddedBackend())]
    if scorer == "flagembedding":
        from es_rerank.scoring.flagembedding import FlagEmbeddingBackend  # noqa: PLC0415  an optional package

        return [Texts(FlagEmbeddingBackend(model, device))]
    if scorer == "fake":
        from es_rerank.scoring.fake import FakeBackend  # noqa: PLC0415  beside its siblings

        return [Texts(FakeBackend())]
    msg = f"scorer {scorer} has no model in this process"
    raise ModelLoadError(msg)


def _engine(model: str, device: str, precision: Precision) -> Sequence[Backend]:
    try:
        from es_rerank.scoring.engine import load as load_engine  # noqa: PLC0415  an optional package
    except ImportError as exc:
        msg = f"the engine cannot be imported ({exc}); pip install 'es-rerank[model]', or use --scorer embedded"
        raise ModelLoadError(msg) from exc
    return load_engine(model, device, precision)


def _openvino(model: str, precision: Precision) -> Sequence[Backend]:
    try:
        from es_rerank.scoring.openvino import load as load_openvino  # noqa: PLC0415  an optional package
    except ImportError as exc:
        msg = f"OpenVINO cannot be imported ({exc}); pip install 'es-rerank[openvino]'"
        raise ModelLoadError(msg) from exc
    return [load_openvino(model, precision)]
