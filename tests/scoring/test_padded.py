"""Padded batches for foreign runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from es_rerank.scoring.padded import TOGETHER, Array, PaddedBackend, padded
from es_rerank.scoring.tokens import PairTokenizer, Tokens

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


def test_arrays() -> None:
    """Ids padded with the model's own, mask, types."""
    pairs = [Tokens(np.array([5, 6, 7], dtype=np.int32), 2, 1), Tokens(np.array([8], dtype=np.int32), 1)]
    found = {name: array.tolist() for name, array in padded(pairs, 9).items()}
    assert found == {
        "input_ids": [[5, 6, 7], [8, 9, 9]],
        "attention_mask": [[1, 1, 1], [1, 0, 0]],
        "token_type_ids": [[0, 0, 1], [0, 0, 0]],
    }


def test_similar_lengths_go_together(minilm: Path) -> None:
    """In small groups; logits come back in the order of the pairs."""
    seen: list[tuple[int, ...]] = []

    def run(arrays: dict[str, Array]) -> Any:
        seen.append(arrays["input_ids"].shape)
        return arrays["attention_mask"].sum(1).astype(np.float32)

    backend = PaddedBackend("m", "cpu", PairTokenizer.load(minilm), run, 64)
    batch = backend.prepare("q", ["water " * count for count in (30, 1, 500, 2, 3, 29, 4)], 512)
    assert backend.score(batch) == [prepared.cost for prepared in batch]
    assert batch[2].cost == 64
    assert [rows for rows, _ in seen] == [TOGETHER, 3]
    assert [width for _, width in seen] == sorted(width for _, width in seen)
