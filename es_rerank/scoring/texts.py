"""A model that takes text, as a Backend. What a pair costs, and whether its text is cut, are estimates here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from es_rerank.core.estimate import estimate
from es_rerank.errors import ScorerError
from es_rerank.scoring.backend import Pair, Prepared, TextBackend


class Texts:
    """One TextBackend."""

    def __init__(self, model: TextBackend) -> None:
        self._model = model
        self.name, self.device = model.name, model.device

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        """Keep the texts as they are."""
        return [self._one((query, passage), max_length) for passage in passages]

    def _one(self, pair: Pair, max_length: int) -> Prepared:
        tokens = estimate(pair)
        text = "\0".join(pair).encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(text, digest_size=16, salt=max_length.to_bytes(4, "little"))
        return Prepared((pair, max_length), min(tokens, max_length), key.digest(), tokens > max_length)

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        """Score the pairs of each ``max_length`` together."""
        lengths = [_texts(prepared)[1] for prepared in batch]
        logits = [0.0] * len(batch)
        for max_length in dict.fromkeys(lengths):
            places = [place for place, length in enumerate(lengths) if length == max_length]
            found = self._model.score([_texts(batch[place])[0] for place in places], max_length)
            if len(found) != len(places):
                msg = f"{self.name} gave {len(found)} scores for {len(places)} pairs"
                raise ScorerError(msg)
            for place, logit in zip(places, found, strict=True):
                logits[place] = logit
        return logits


def _texts(prepared: Prepared) -> tuple[Pair, int]:
    item = prepared.item
    if not isinstance(item, tuple):
        msg = "prepared by another backend"
        raise TypeError(msg)
    return item
