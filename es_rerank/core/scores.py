"""Logit to ``_score``: activations, normalisers, the running minimum, float32.

Lists are in the order in which the hits are returned unless said otherwise. Does not sort: orders are made on
logits or fused values, before any rounding (two logits may share one float32).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

_FLOAT = struct.Struct("f")
FLOAT32_MAX = 3.4028234663852886e38


def float32(value: float) -> float:
    """Round to the nearest float32, clamped to its finite range (Lucene's scores are 32-bit floats)."""
    found: tuple[float] = _FLOAT.unpack(_FLOAT.pack(min(max(value, -FLOAT32_MAX), FLOAT32_MAX)))
    return found[0]


def shortest(value: float) -> str:
    """Print a float32 as the shortest decimal that reads back as the same float32; a valid JSON number."""
    for digits in range(1, 9):
        text = f"{value:.{digits}g}"
        if float(text) <= FLOAT32_MAX and float32(float(text)) == value:
            break
    else:
        text = f"{value:.9g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def elastic(logit: float) -> float:
    """Elastic's normalisation of rerank scores: ``max(s, 0) + min(exp(s), 1)``, so in (0, ∞).

    Source: ``TextSimilarityRankFeaturePhaseRankCoordinatorContext.normalizeScore`` in elastic/elasticsearch.
    """
    return max(logit, 0.0) + min(math.exp(min(logit, 0.0)), 1.0)


def sigmoid(logit: float) -> float:
    """The logistic function, in [0, 1], without overflow for large negative logits."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    grown = math.exp(logit)
    return grown / (1.0 + grown)


ACTIVATIONS = {"elastic": elastic, "sigmoid": sigmoid}


def minmax(values: Sequence[float]) -> list[float]:
    """Rescale to [0, 1]; equal values (a single one too) all become 1, so that a lone hit is not worth nothing."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high == low:
        return [1.0] * len(values)
    return [(value - low) / (high - low) for value in values]


def l2_norm(values: Sequence[float]) -> list[float]:
    """Divide by the Euclidean length, as Elasticsearch's ``linear`` retriever does; all zeros stay zeros."""
    length = math.sqrt(math.fsum(value * value for value in values))
    return [value / length for value in values] if length else [0.0] * len(values)


def unchanged(values: Sequence[float]) -> list[float]:
    """Leave the list as it is."""
    return list(values)


NORMALISERS = {"minmax": minmax, "l2_norm": l2_norm, "none": unchanged}


def falling(ranked: Sequence[tuple[float | None, float]]) -> list[float]:
    """Give each place its ``_score``: finite, ≥ 0, float32, never rising.

    ``ranked`` holds, in the new order, the value from the model (None: no model score) and Elasticsearch's own
    score. A place with a model value gets the running minimum. A run of places without one starts at that minimum
    as its ceiling and falls as Elasticsearch's scores fall: ``ceiling * own / own of the run's first``.
    """
    scores: list[float] = []
    lowest = FLOAT32_MAX
    ceiling, first = lowest, None
    for value, own in ranked:
        if value is not None:
            lowest = min(lowest, float32(max(value, 0.0)))
            first = None
        else:
            if first is None:
                ceiling, first = (lowest if scores else float32(max(own, 0.0))), own
            share = own / first if first > 0 else 1.0
            lowest = min(lowest, float32(ceiling * min(max(share, 0.0), 1.0)))
        scores.append(lowest)
    return scores
