"""How much traffic an experiment needs: units for each variant, and days.

The normal approximation for two means of independent units: ``n = 2 σ² (z_{1-α/2} + z_{power})² / δ²`` (van Belle,
Statistical Rules of Thumb, 2008, chapter 2), with σ² the variance between units of the measure's value, so that units who
search often count as what they are.
"""

from __future__ import annotations

import math

import msgspec

from es_rerank.evaluation.inference import ALPHA, Sums


class Plan(msgspec.Struct, frozen=True):
    """What is needed: units and searches for each variant, and days where the traffic is known."""

    outcome: str
    value: float
    detectable: float
    power: float
    units: int
    searches: int
    days: float | None


def of_records(measured: Sums) -> float:
    """σ² of a measure: the variance that one unit's worth of searches adds."""
    return measured.variance * measured.units


def of_rate(rate: float, searches_per_unit: float, correlation: float = 0.0) -> float:
    """σ² of a share where nothing was recorded yet: searches of a unit are alike by ``correlation`` (0: not at all)."""
    return rate * (1 - rate) * (1 + (searches_per_unit - 1) * correlation) / searches_per_unit


def units_needed(variance: float, detectable: float, power: float = 0.8, alpha: float = ALPHA) -> int:
    """Units for each of two equal variants."""
    return math.ceil(2 * variance * (_z(1 - alpha / 2) + _z(power)) ** 2 / detectable**2)


def power_of(variance: float, difference: float, units: int, alpha: float = ALPHA) -> float:
    """How often a true difference is found with so many units in each variant."""
    from scipy import stats  # noqa: PLC0415  an extra

    shift = abs(difference) / math.sqrt(2 * variance / units)
    edge = _z(1 - alpha / 2)
    return float(stats.norm.sf(edge - shift) + stats.norm.cdf(-edge - shift))


def _z(quantile: float) -> float:
    from scipy import stats  # noqa: PLC0415  an extra

    return float(stats.norm.ppf(quantile))
