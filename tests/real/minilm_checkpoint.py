"""The embedded MiniLM's int8 ONNX weights, turned back into a Hugging Face checkpoint.

Each quantised matrix is multiplied out with its scale and zero point; names come from the graph's nodes. The result is
the real ms-marco-MiniLM-L-12-v2 to within int8's rounding, and loads in transformers and in FlagReranker.

    python -m tests.real.minilm_checkpoint FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from es_rerank.scoring.minilm import folder

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "id2label": {"0": "LABEL_0"},
    "label2id": {"LABEL_0": 0},
}

Array = npt.NDArray[Any]


def weights() -> dict[str, Array]:
    """Every tensor of the checkpoint, float32, under its Hugging Face name."""
    graph = onnx.load(str(folder() / "model.onnx")).graph
    found = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    paths = {node.input[1]: node.name for node in graph.node if node.op_type == "MatMulInteger"}
    tensors = {name: array for name, array in found.items() if name.endswith((".weight", ".bias"))}
    for name, array in found.items():
        stem = name.removesuffix("_quantized")
        if stem != name:
            plain = (array.astype(np.float32) - found[f"{stem}_zero_point"]) * found[f"{stem}_scale"]
            tensors[_name(stem, paths.get(name, ""))] = plain if "embeddings" in stem else plain.T
    return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in tensors.items()}


def _name(stem: str, node: str) -> str:
    """Embeddings and head keep their names in the graph; a linear layer is named by the path of its node."""
    if stem.startswith(("bert.", "classifier.")):
        return stem
    return node.removeprefix("/").partition("/MatMul")[0].replace("/", ".") + ".weight"


def write(target: Path) -> Path:
    """Write the checkpoint and its tokenizer into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights(), target / "model.safetensors", metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(folder() / name, target / name)
    return target


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
