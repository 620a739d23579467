"""Two runs over the same queries: how much better, how sure, and which queries moved.

The test is a paired randomisation test (Smucker, Allan and Carterette, CIKM 2007), the interval a bootstrap over queries
(Efron and Tibshirani 1993; bias-corrected and accelerated), both by scipy. Several comparisons are corrected by Holm's
method (statsmodels). Seeds are fixed: equal runs give equal answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 9_999
_SEED = 20_261_125
_EQUAL = 1e-9


class Comparison(msgspec.Struct, frozen=True):
    """One measure: means of both, the mean change with its 95 % interval, and the two-sided p of the randomisation test.

    ``moved`` lists queries by their change, greatest gain first, then greatest loss; those without a change are left out.
    """

    measure: str
    before: float
    after: float
    change: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int
    moved: tuple[tuple[str, float], ...]


def compare(measure: str, before: Mapping[str, float], after: Mapping[str, float]) -> Comparison:
    """Compare values of the same queries."""
    import numpy as np  # noqa: PLC0415  an extra

    queries = list(before)
    first, second = (np.array([of[query] for query in queries]) for of in (before, after))
    change = second - first
    low, high = interval(change)
    moved = [(query, float(gain)) for query, gain in zip(queries, change, strict=True) if abs(gain) > _EQUAL]
    return Comparison(
        measure=measure,
        before=float(first.mean()),
        after=float(second.mean()),
        change=float(change.mean()),
        low=low,
        high=high,
        p=randomisation(change),
        wins=int((change > _EQUAL).sum()),
        ties=int((abs(change) <= _EQUAL).sum()),
        losses=int((change < -_EQUAL).sum()),
        moved=tuple(sorted(moved, key=lambda entry: -entry[1])),
    )


def interval(change: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean; of values that are all equal, that value twice."""
    import numpy as np  # noqa: PLC0415  an extra
    from scipy import stats  # noqa: PLC0415

    if len(change) < 2 or np.ptp(change) < _EQUAL:  # noqa: PLR2004  a spread needs two
        return float(change.mean()), float(change.mean())
    found = stats.bootstrap((change,), np.mean, n_resamples=RESAMPLES, rng=np.random.default_rng(_SEED), method="BCa")
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def randomisation(change: np.ndarray) -> float:
    """How often signs thrown at random make a mean change as large as this one; 1 where nothing changed, or of one query."""
    import numpy as np  # noqa: PLC0415  an extra
    from scipy import stats  # noqa: PLC0415

    if len(change) < 2 or not np.any(abs(change) > _EQUAL):  # noqa: PLR2004  one sign proves nothing
        return 1.0
    chance = np.random.default_rng(_SEED)
    found = stats.permutation_test(
        (change,), np.mean, permutation_type="samples", n_resamples=RESAMPLES, vectorized=True, rng=chance
    )
    return float(found.pvalue)


def corrected(ps: Sequence[float]) -> list[float]:
    """Holm's correction, in the order of the given p's; of one, itself."""
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415  an extra

    return [float(p) for p in multipletests(ps, method="holm")[1]] if ps else []
