"""The fake scorer: how many of the query's words the passage holds. For tests and dry runs, deterministic, no model.

Logit = 8 × share − 4, less a thousandth for every word of the passage, so from 4 (all words, short) downwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from es_rerank.core.words import words
from es_rerank.scoring.backend import Pair


class FakeBackend:
    """Overlap of words."""

    name = "fake"
    device = "cpu"

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give a logit for each pair; only the first ``max_length`` words of a passage count."""
        return [_overlap(query, passage, max_length) for query, passage in pairs]


def _overlap(query: str, passage: str, max_length: int) -> float:
    wanted, held = set(words(query)), words(passage)[:max_length]
    share = len(wanted & set(held)) / len(wanted) if wanted else 0.0
    return 8 * share - 4 - len(held) / 1000
