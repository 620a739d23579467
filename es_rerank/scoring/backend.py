"""What a model has to offer to be used, and the faults that it may report.

A backend is called from two threads at most, one that prepares and one that scores; it knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from es_rerank.errors import ScorerError

Pair = tuple[str, str]
"""(query, passage), as FlagEmbedding calls it."""


class OutOfMemory(ScorerError):
    """The batch does not fit; a smaller one may."""


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """One pair, ready to be scored. ``cost`` in tokens; equal ``key`` means equal logit; ``truncated``: text was cut.

    ``item`` is the backend's own.
    """

    item: object
    cost: int
    key: bytes
    truncated: bool = False


class Backend(Protocol):
    """One loaded model."""

    name: str
    device: str

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        """Make pairs of ``query`` and each passage, in order; ``max_length`` counts tokens of both together."""
        ...

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        """Give the logit of each pair, in order, ``(n_pairs,)``. Raises OutOfMemory, or anything else for a real fault."""
        ...


class TextBackend(Protocol):
    """A model that takes text and tokenises it by itself."""

    name: str
    device: str

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give the logit of each pair, in order. Raises OutOfMemory, or anything else for a real fault."""
        ...
