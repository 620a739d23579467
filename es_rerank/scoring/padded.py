"""Models in a foreign runtime's format that take padded batches: pairs of similar length are run together.

Which runtime it is stays in its own file, as a function of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.tokens import PairTokenizer, Tokens, prepared, tokens_of

Array = npt.NDArray[np.int64]
Run = Callable[[dict[str, Array]], npt.NDArray[np.float32]]
"""``input_ids``, ``attention_mask`` and ``token_type_ids``, ``(pairs, longest)`` each → logits, ``(pairs,)``."""

TOGETHER = 4
"""Pairs in one run: on processors larger batches bring nothing and pad more (docs/performance.md)."""


class PaddedBackend:
    """One model behind a function."""

    def __init__(self, name: str, device: str, tokens: PairTokenizer, run: Run, longest: int, pad: int = 0) -> None:
        self.name, self.device = name, device
        self._tokens, self._run, self._longest, self._pad = tokens, run, longest, pad
        self._mark = f"{name} {device}".encode()

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        """Tokenise."""
        return prepared(self._tokens, self._mark, query, passages, min(max_length, self._longest))

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        """Run in groups of similar length."""
        pairs = [tokens_of(pair) for pair in batch]
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].ids))
        logits = [0.0] * len(pairs)
        for start in range(0, len(order), TOGETHER):
            places = order[start : start + TOGETHER]
            found = self._run(padded([pairs[place] for place in places], self._pad))
            for place, logit in zip(places, found, strict=True):
                logits[place] = float(logit)
        return logits


def limits(folder: Path) -> tuple[int, int]:
    """How long a pair may be, and the id that pads, by a model's ``config.json``; RoBERTa's positions start at 2."""
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    longest = int(config["max_position_embeddings"]) - 2 * ("roberta" in config["model_type"])
    return longest, int(config.get("pad_token_id") or 0)


def padded(pairs: Sequence[Tokens], pad: int) -> dict[str, Array]:
    """Arrays as Hugging Face's models take them."""
    width = max(len(pair.ids) for pair in pairs)
    ids = np.full((len(pairs), width), pad, dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        ids[row, :length], mask[row, :length], types[row, pair.first : length] = pair.ids, 1, pair.second_type
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
