"""Checkpoints in each layout, and a clear refusal of what is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
from es_rerank.errors import ModelLoadError  # noqa: E402
from es_rerank.scoring.engine.checkpoint import Checkpoint  # noqa: E402  needs torch

pytestmark = pytest.mark.model


@pytest.fixture
def copied(xlmr: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(xlmr, tmp_path / "model"))


def _configured(folder: Path, **changed: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))


def test_shape(xlmr: Path, minilm: Path) -> None:
    """XLM-RoBERTa's positions start behind its padding id, BERT's at 0."""
    shape = Checkpoint(str(xlmr)).shape
    assert (shape.stem, shape.layers, shape.hidden, shape.heads) == ("roberta", 2, 32, 2)
    assert (shape.first_position, shape.max_length, shape.gelu) == (2, 512, "none")
    shape = Checkpoint(str(minilm)).shape
    assert (shape.stem, shape.first_position, shape.max_length) == ("bert", 0, 512)


def _as_bin(folder: Path) -> None:
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def _as_shards(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    files = {name: f"model-0000{1 + place % 2}-of-00002.safetensors" for place, name in enumerate(names)}
    for file in set(files.values()):
        save_file({name: tensors[name] for name in names if files[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))


@pytest.mark.parametrize("changed", [_as_bin, _as_shards])
def test_layouts_hold_the_same(xlmr: Path, copied: Path, changed: Callable[[Path], None]) -> None:
    """A pickle or shards in place of one file; the revision tells them apart."""
    changed(copied)
    name = "roberta.encoder.layer.1.output.dense.weight"
    one, other = Checkpoint(str(xlmr)), Checkpoint(str(copied))
    assert torch.equal(one.tensor(name, torch.float32), other.tensor(name, torch.float32))
    assert other.tensor(name, torch.bfloat16).dtype == torch.bfloat16
    assert one.revision != other.revision


def test_large_tables_are_read_in_pieces(xlmr: Path) -> None:
    """The word embeddings, which are many pieces, arrive whole."""
    from safetensors.torch import load_file

    name = "roberta.embeddings.word_embeddings.weight"
    expected = load_file(xlmr / "model.safetensors")[name]
    assert torch.equal(Checkpoint(str(xlmr)).tensor(name, torch.float32), expected)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "llama"}, "its model_type is 'llama'"),
        ({"architectures": ["XLMRobertaModel"]}, "no cross-encoder"),
        ({"id2label": {"0": "a", "1": "b"}}, "with 2 outputs"),
        ({"hidden_act": "silu"}, "hidden_act 'silu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
    ],
)
def test_what_cannot_be_run_is_named(copied: Path, changed: dict[str, Any], said: str) -> None:
    """With the remedy."""
    _configured(copied, **changed)
    with pytest.raises(ModelLoadError, match="--scorer flagembedding") as caught:
        Checkpoint(str(copied))
    assert said in str(caught.value)


def test_missing_parts_are_named(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor, the weights, the configuration, the folder."""
    with pytest.raises(ModelLoadError, match=r"holds no tensor roberta\.nothing"):
        Checkpoint(str(copied)).tensor("roberta.nothing", torch.float32)
    (copied / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelLoadError, match="cannot be loaded; looked in the folder"):
        Checkpoint(str(copied))
    (copied / "model.safetensors").unlink()
    with pytest.raises(ModelLoadError, match=r"neither model\.safetensors nor"):
        Checkpoint(str(copied))
    (copied / "config.json").unlink()
    with pytest.raises(ModelLoadError, match="ways out"):
        Checkpoint(str(copied))
    with pytest.raises(ModelLoadError, match="does not exist"):
        Checkpoint("./nowhere")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelLoadError, match="looked in the cache"):
        Checkpoint("nobody/nothing")
