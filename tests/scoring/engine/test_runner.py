"""Loading and running: order, faults."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from es_rerank.errors import ModelLoadError  # noqa: E402
from es_rerank.scoring.backend import OutOfMemory  # noqa: E402
from es_rerank.scoring.engine.checkpoint import Checkpoint  # noqa: E402
from es_rerank.scoring.engine.runner import Runner  # noqa: E402
from es_rerank.scoring.tokens import Tokens  # noqa: E402

pytestmark = pytest.mark.model
CPU = torch.device("cpu")


def _tokens(length: int) -> Tokens:
    return Tokens(np.arange(5, 5 + length, dtype=np.int32), 3)


def test_logits_come_in_the_order_of_the_pairs(xlmr: Path) -> None:
    """Whatever order they are packed in."""
    runner = Runner(Checkpoint(str(xlmr)), CPU, "fp32")
    pairs = [_tokens(length) for length in (40, 7, 90, 7, 300)]
    alone = [runner.logits([pair])[0] for pair in pairs]
    assert runner.logits(pairs) == pytest.approx(alone, abs=1e-6)
    assert runner.logits([]) == []


def test_a_lack_of_memory_is_told_apart(xlmr: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While scoring: a smaller batch may fit; while loading: the model does not."""
    runner = Runner(Checkpoint(str(xlmr)), CPU, "fp32")

    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(runner, "_model", full)
    monkeypatch.setattr(runner, "_on_cpu", full)
    with pytest.raises(OutOfMemory, match="2 pairs do not fit"):
        runner.logits([_tokens(5), _tokens(6)])
    monkeypatch.setattr("es_rerank.scoring.engine.runner.CrossEncoder", full)
    with pytest.raises(ModelLoadError, match="--device cpu"):
        Runner(Checkpoint(str(xlmr)), CPU, "fp32")


def test_damaged_weights_are_refused(xlmr: Path, tmp_path: Path) -> None:
    """A model that gives no numbers is not put to work."""
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(xlmr, tmp_path / "m"))
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.dense.bias"][0] = torch.nan
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelLoadError, match="not finite in fp32"):
        Runner(Checkpoint(str(folder)), CPU, "fp32")
