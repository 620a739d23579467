"""What a model has to offer to be used, and the two faults that it may report.

A backend is called from one thread at a time; it scores what it is given and knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from es_rerank.errors import ScorerError

Pair = tuple[str, str]
"""(query, passage), as FlagEmbedding calls it."""


class OutOfMemory(ScorerError):
    """The batch does not fit; a smaller one may."""


class Backend(Protocol):
    """One loaded model."""

    name: str
    device: str

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give the logit of each pair, in the order of ``pairs``, shape ``(n_pairs,)``.

        ``max_length`` counts tokens of both texts together. Raises OutOfMemory, or anything else for a real fault.
        """
        ...
