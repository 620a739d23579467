"""Scoring a batch although it may be too large for the memory, or hold a pair that the model cannot read.

Halves are tried until the fault stands alone, so that it costs the others nothing but time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from es_rerank.errors import ScorerError
from es_rerank.scoring.backend import Backend, OutOfMemory, Prepared


def scored(backend: Backend, batch: Sequence[Prepared]) -> list[float]:
    """Give the logit of each pair, in order; NaN only for a pair that gives none by itself.

    Raises OutOfMemory for a single pair that does not fit, and whatever else the backend raises.
    """
    try:
        logits = backend.score(batch)
    except OutOfMemory:
        if len(batch) == 1:
            raise
        return _by_halves(backend, batch)
    if len(logits) != len(batch):
        msg = f"{backend.name} gave {len(logits)} scores for {len(batch)} pairs"
        raise ScorerError(msg)
    if len(batch) > 1 and not all(map(math.isfinite, logits)):
        return _by_halves(backend, batch)
    return logits


def _by_halves(backend: Backend, batch: Sequence[Prepared]) -> list[float]:
    half = len(batch) // 2
    return scored(backend, batch[:half]) + scored(backend, batch[half:])
