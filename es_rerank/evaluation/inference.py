"""How sure a difference is, where units (people), not searches, are what was assigned.

A variant's value is a ratio of sums over units. Its error is that of the delta method with units as clusters (Deng, Knoblich
and Lu, KDD 2018); intervals are a percentile bootstrap over units; for those who look every day there is an asymptotic
confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476), valid at every look. Sample-ratio
mismatch: Pearson's chi-square (Fabijan et al., KDD 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.05
RESAMPLES = 2_000
SRM_ALPHA = 0.0005
"""Below this the assignment is taken for broken; it is looked at often, and a false alarm costs an experiment."""

_SEED = 20_261_125


class Sums(msgspec.Struct, frozen=True):
    """Of one variant: numerator and denominator of each unit, ``(n_units,)`` both."""

    numerators: np.ndarray
    denominators: np.ndarray

    @property
    def units(self) -> int:
        """How many."""
        return len(self.numerators)

    @property
    def value(self) -> float:
        """The ratio of sums; of nothing, 0."""
        below = float(self.denominators.sum())
        return float(self.numerators.sum()) / below if below else 0.0

    @property
    def variance(self) -> float:
        """Of the value, by the delta method over units; infinite for fewer than two units."""
        below = float(self.denominators.sum())
        if self.units < 2 or not below:  # noqa: PLR2004  a spread needs two
            return math.inf
        residues = self.numerators - self.value * self.denominators
        return float((residues**2).sum()) / below**2 * self.units / (self.units - 1)


class Difference(msgspec.Struct, frozen=True):
    """A variant's value less control's, its 95 % interval, the always-valid one, and the p of the fixed-horizon test."""

    control: float
    variant: float
    change: float
    low: float
    high: float
    always_low: float
    always_high: float
    p: float


def sums(values: Mapping[str, tuple[float, float]]) -> Sums:
    """Sums by unit → what is calculated with."""
    import numpy as np  # noqa: PLC0415  an extra

    pairs = np.array(list(values.values()), dtype=float).reshape(-1, 2)
    return Sums(pairs[:, 0], pairs[:, 1])


def difference(control: Sums, variant: Sums, planned_units: int | None = None) -> Difference:
    """Compare; ``planned_units`` of both together is where the always-valid interval is narrowest (default: now)."""
    change = variant.value - control.value
    error = math.sqrt(control.variance + variant.variance)
    low, high = bootstrap(control, variant)
    wide = error * always_valid_factor(control.units + variant.units, planned_units)
    return Difference(control.value, variant.value, change, low, high, change - wide, change + wide, p_value(change, error))


def p_value(change: float, error: float) -> float:
    """Two-sided, of a normal variable."""
    if not math.isfinite(error):
        return 1.0
    if not error:
        return 1.0 if not change else 0.0
    return math.erfc(abs(change) / error / math.sqrt(2))


def always_valid_factor(units: int, planned: int | None = None, alpha: float = ALPHA) -> float:
    """By how many standard errors an estimate may be off at any look, with probability ``alpha`` at most.

    Equation (9) of arXiv 2103.06476, with ρ tuned for ``planned`` units as its appendix B.2 says.
    """
    if units < 2:  # noqa: PLR2004  nothing to say yet
        return math.inf
    twice = -2 * math.log(alpha)
    rho2 = (twice + math.log(twice + 1)) / (planned or units)
    grown = units * rho2 + 1
    return math.sqrt(grown / (units * rho2) * math.log(grown / alpha**2))


def bootstrap(control: Sums, variant: Sums) -> tuple[float, float]:
    """The percentile interval of the difference, resampling units within each variant."""
    import numpy as np  # noqa: PLC0415  an extra

    if min(control.units, variant.units) < 2:  # noqa: PLR2004  nothing to resample
        return -math.inf, math.inf
    chance = np.random.default_rng(_SEED)
    first, second = _resampled(control, chance), _resampled(variant, chance)
    low, high = np.percentile(second - first, [100 * ALPHA / 2, 100 * (1 - ALPHA / 2)])
    return float(low), float(high)


def _resampled(sums_of: Sums, chance: np.random.Generator) -> np.ndarray:
    """Values of resamples, a batch at a time, so that memory stays flat however many units there are."""
    import numpy as np  # noqa: PLC0415  an extra

    units, found = sums_of.units, []
    at_once = max(1, 2_000_000 // units)
    for start in range(0, RESAMPLES, at_once):
        drawn = chance.integers(0, units, (min(at_once, RESAMPLES - start), units))
        below = sums_of.denominators[drawn].sum(axis=1)
        found.append(sums_of.numerators[drawn].sum(axis=1) / np.where(below > 0, below, 1))
    return np.concatenate(found)


def mismatch(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """The p of the chi-square test that units came in the shares of their weights; 1 where there is nothing to test."""
    from scipy import stats  # noqa: PLC0415  an extra

    names = [name for name, weight in weights.items() if weight > 0]
    total, whole = sum(counts.get(name, 0) for name in names), sum(weights[name] for name in names)
    if len(names) < 2 or not total:  # noqa: PLR2004  nothing to compare
        return 1.0
    if any(count and weights.get(name, 0) <= 0 for name, count in counts.items()):
        return 0.0
    seen = [counts.get(name, 0) for name in names]
    return float(stats.chisquare(seen, [total * weights[name] / whole for name in names]).pvalue)
