"""Where a model's files are, what its configuration says, and its tensors one by one.

Reads the Hugging Face layout: ``config.json`` beside ``model.safetensors`` (or shards with an index) or
``pytorch_model.bin``. Tensors are handed out in pieces and the file is let go of after each, so that a checkpoint in
32 bits is never in memory as a whole beside its 16-bit copy. Does not compute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import safe_open

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.places import unloadable

_HUB_TEXT = ["config.json", "tokenizer*", "special_tokens_map.json", "sentencepiece*", "vocab.txt"]
_PIECE_ROWS = 16_384
_STEMS = {"xlm-roberta": "roberta", "roberta": "roberta", "bert": "bert"}
_ACTIVATIONS = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}


class Shape(msgspec.Struct, frozen=True):
    """What the forward pass has to know of a model. ``first_position``: the row of a pair's first token in the table.

    ``gelu`` is oneDNN's word for the form of the activation: ``none`` (exact, by erf) or ``tanh``.
    """

    stem: str
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    max_length: int
    first_position: int
    epsilon: float
    gelu: str

    @classmethod
    def of(cls, model: str, config: dict[str, Any]) -> Shape:
        """Read ``config.json``; raises ModelLoadError for what this engine cannot run."""
        family = config.get("model_type", "")
        _require(family in _STEMS, model, f"its model_type is {family!r}, this engine runs {', '.join(_STEMS)}")
        kinds = config.get("architectures") or []
        outputs = len(config.get("id2label") or ()) or int(config.get("num_labels", 2))
        headed = any(kind.endswith("ForSequenceClassification") for kind in kinds) and outputs == 1
        _require(headed, model, f"it is {', '.join(kinds) or 'of no named kind'} with {outputs} outputs, no cross-encoder")
        act = config.get("hidden_act", "gelu")
        _require(act in _ACTIVATIONS, model, f"its hidden_act {act!r} is not one of {', '.join(_ACTIVATIONS)}")
        position = config.get("position_embedding_type", "absolute")
        _require(position == "absolute", model, f"its position_embedding_type {position!r} is not absolute")
        pad = config.get("pad_token_id")
        first = 0 if _STEMS[family] == "bert" else (1 if pad is None else int(pad)) + 1
        return cls(
            stem=_STEMS[family],
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            vocabulary=config["vocab_size"],
            max_length=config["max_position_embeddings"] - first,
            first_position=first,
            epsilon=config.get("layer_norm_eps", 1e-12),
            gelu=_ACTIVATIONS[act],
        )


class Checkpoint:
    """The files of one model."""

    def __init__(self, model: str) -> None:
        """Find ``model``, a folder or a hub name (downloaded with its progress shown); raises ModelLoadError."""
        self.model = model
        self.folder = _folder(model)
        try:
            config = msgspec.json.decode((self.folder / "config.json").read_bytes())
        except (OSError, msgspec.DecodeError) as exc:
            raise ModelLoadError(unloadable(model, exc)) from exc
        self.shape = Shape.of(model, config)
        self._files = _weight_files(model, self.folder)
        marks = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(set(self._files.values()))]
        self.revision = hashlib.blake2b(repr((marks, config)).encode(), digest_size=8).hexdigest()

    def tensor(self, name: str, dtype: torch.dtype) -> torch.Tensor:
        """One tensor in ``dtype``; raises ModelLoadError where the checkpoint lacks it."""
        path = self._files.get(name)
        _require(path is not None, self.model, f"its checkpoint in {self.folder} holds no tensor {name}")
        try:
            return _torch_tensor(str(path), name, dtype) if str(path).endswith(".bin") else _safe(str(path), name, dtype)
        except Exception as exc:
            raise ModelLoadError(unloadable(self.model, exc)) from exc


def _safe(path: str, name: str, dtype: torch.dtype) -> torch.Tensor:
    """Copy a tensor in pieces of rows; each opening maps the file anew, so its pages do not pile up."""
    with safe_open(path, framework="pt") as opened:
        shape = opened.get_slice(name).get_shape()
    made = torch.empty(shape, dtype=dtype)
    if not shape:
        with safe_open(path, framework="pt") as opened:
            return made.copy_(opened.get_tensor(name))
    for start in range(0, shape[0], _PIECE_ROWS):
        with safe_open(path, framework="pt") as opened:
            made[start : start + _PIECE_ROWS].copy_(opened.get_slice(name)[start : start + _PIECE_ROWS])
    return made


def _torch_tensor(path: str, name: str, dtype: torch.dtype) -> torch.Tensor:
    found: torch.Tensor = torch.load(path, map_location="cpu", mmap=True, weights_only=True)[name]
    return found.to(dtype, copy=True)


def _weight_files(model: str, folder: Path) -> dict[str, Path]:
    """Which file holds which tensor; raises ModelLoadError."""
    try:
        for index in ("model.safetensors.index.json", "pytorch_model.bin.index.json"):
            if (folder / index).exists():
                named = msgspec.json.decode((folder / index).read_bytes())["weight_map"]
                return {name: folder / file for name, file in named.items()}
        return {name: path for path, names in _single_files(folder) for name in names}
    except Exception as exc:
        raise ModelLoadError(unloadable(model, exc)) from exc


def _single_files(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    whole, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    if whole.exists():
        with safe_open(str(whole), framework="pt") as opened:
            yield whole, list(opened.keys())
    elif pickled.exists():
        yield pickled, list(torch.load(str(pickled), map_location="cpu", mmap=True, weights_only=True))
    else:
        msg = f"{folder} holds neither model.safetensors nor pytorch_model.bin"
        raise FileNotFoundError(msg)


def _folder(model: str) -> Path:
    if Path(model).is_dir():
        return Path(model)
    if model.startswith(("/", "./", "../", "~")):
        raise ModelLoadError(unloadable(model, FileNotFoundError("no such folder")))
    from huggingface_hub import snapshot_download  # noqa: PLC0415  only where a name is given

    fetch: Callable[..., str] = snapshot_download
    try:
        folder = Path(fetch(model, allow_patterns=[*_HUB_TEXT, "model*.safetensors*"]))
        if not list(folder.glob("model*.safetensors")):
            folder = Path(fetch(model, allow_patterns=[*_HUB_TEXT, "pytorch_model*.bin*"]))
    except Exception as exc:
        raise ModelLoadError(unloadable(model, exc)) from exc
    return folder


def _require(holds: object, model: str, why: str) -> None:
    if not holds:
        msg = f"{model} cannot be run by the engine: {why}; use a reranker such as BAAI/bge-reranker-v2-m3"
        raise ModelLoadError(f"{msg}, or --scorer flagembedding")
