"""Judged hits with the model's scores → a ``min_score`` that loses few relevant hits, with an interval, or a refusal.

The threshold is the score under which a small share of the relevant hits lies. What it is worth depends on how well scores
tell relevant from irrelevant at all: the area under the ROC curve (Hanley and McNeil, Radiology 1982), by the Mann-Whitney
statistic. Intervals are a bootstrap over queries, since hits of one query belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

LEAST = 30
"""Relevant and irrelevant hits, each, below which nothing is said."""

SEPARATES = 0.65
"""What the area under the curve has to be for certain; 0.5 is a coin."""

WORTH = 0.1
"""Share of the irrelevant hits that a threshold has to drop to be worth anything."""

_RESAMPLES = 1_000
_SEED = 20_261_125


class Threshold(msgspec.Struct, frozen=True):
    """A ``min_score`` with its 95 % interval, the shares that it keeps and drops, and how well the scores separate.

    ``refused``: why there is none; empty: there is.
    """

    min_score: float
    low: float
    high: float
    kept: float
    dropped: float
    area: float
    area_low: float
    area_high: float
    relevant: int
    irrelevant: int
    refused: str


def calibrate(
    scores: Mapping[str, Sequence[float]], grades: Mapping[str, Sequence[int]], *, keep: float = 0.95, relevant: int = 1
) -> Threshold:
    """Find the threshold under which at most ``1 - keep`` of the hits of grade ``relevant`` or better lie.

    ``scores`` and ``grades`` hold the judged hits of each query, in the same order.
    """
    import numpy as np  # noqa: PLC0415  an extra

    queries = list(scores)
    of = [np.array(scores[query], dtype=float) for query in queries]
    good = [np.array(grades[query]) >= relevant for query in queries]
    whole, mine = np.concatenate(of or [np.empty(0)]), np.concatenate(good or [np.empty(0, bool)])
    counts = int(mine.sum()), int((~mine).sum())
    if min(counts) < LEAST:
        words = f"{counts[0]} relevant and {counts[1]} irrelevant judged hits; {LEAST} of each are needed"
        return Threshold(0, 0, 0, 0, 0, 0.5, 0.0, 1.0, *counts, words)
    found, area = _threshold(whole, mine, keep), _area(whole, mine)
    chance = np.random.default_rng(_SEED)
    drawn = []
    for _ in range(_RESAMPLES):
        picked = chance.integers(0, len(queries), len(queries))
        values, marks = np.concatenate([of[place] for place in picked]), np.concatenate([good[place] for place in picked])
        if 0 < marks.sum() < len(marks):
            drawn.append((_threshold(values, marks, keep), _area(values, marks)))
    (low, area_low), (high, area_high) = np.percentile(np.array(drawn), [2.5, 97.5], axis=0)
    kept, dropped = float((whole[mine] >= found).mean()), float((whole[~mine] < found).mean())
    refused = ""
    if area_low < SEPARATES:
        refused = (
            f"scores do not tell relevant from irrelevant hits (area under the curve {area_low:.2f} to {area_high:.2f})"
        )
    elif dropped < WORTH:
        refused = f"a threshold that keeps {keep:.0%} of the relevant hits would drop {dropped:.1%} of the others"
    return Threshold(
        found, float(low), float(high), kept, dropped, area, float(area_low), float(area_high), *counts, refused
    )


def _threshold(scores: np.ndarray, relevant: np.ndarray, keep: float) -> float:
    """The score of a relevant hit, so that it is itself kept."""
    import numpy as np  # noqa: PLC0415  an extra

    return float(np.quantile(scores[relevant], 1 - keep, method="lower"))


def _area(scores: np.ndarray, relevant: np.ndarray) -> float:
    """How often a relevant hit has a better score than an irrelevant one; a tie is half."""
    from scipy import stats  # noqa: PLC0415  an extra

    ranks = stats.rankdata(scores)
    count = int(relevant.sum())
    above = float(ranks[relevant].sum()) - count * (count + 1) / 2
    return above / (count * (len(scores) - count))
