"""How far two orders of the same hits are apart, without any judgment.

Rank-biased overlap: Webber, Moffat and Zobel, ACM TOIS 2010 (extrapolated, equation 32; persistence 0.9). Kendall's tau:
Biometrika 1938. Displacement: the mean change of place.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Hashable, Sequence

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """Of the places of a window: 1 is "equal" for ``rbo`` and ``tau``, 0 for ``displacement`` (in places)."""

    rbo: float
    tau: float
    displacement: float
    top_changed: bool


def difference(first: Sequence[int], second: Sequence[int], persistence: float = 0.9) -> Difference:
    """Compare two orders that hold the same hits, each once, best first."""
    places = {hit: place for place, hit in enumerate(first)}
    moved = [places[hit] for hit in second if hit in places]
    apart = sum(abs(place - now) for now, place in enumerate(moved))
    changed = bool(first) and bool(second) and first[0] != second[0]
    return Difference(rbo(first, second, persistence), tau(moved), apart / max(len(moved), 1), changed)


def rbo(first: Sequence[Hashable], second: Sequence[Hashable], persistence: float = 0.9) -> float:
    """Extrapolated rank-biased overlap to the depth of the shorter list; two empty lists are equal."""
    depth = min(len(first), len(second))
    if not depth:
        return 1.0
    seen: set[Hashable] = set()
    other: set[Hashable] = set()
    summed = agreed = 0.0
    for place in range(depth):
        seen.add(first[place])
        other.add(second[place])
        agreed = len(seen & other) / (place + 1)
        summed += agreed * persistence ** (place + 1)
    return agreed * persistence**depth + (1 - persistence) / persistence * summed


def tau(moved: Sequence[int]) -> float:
    """Kendall's tau of a permutation, given as old places in the new order; of fewer than two, 1."""
    count = len(moved)
    if count < 2:  # noqa: PLR2004  a pair
        return 1.0
    inversions, before = 0, list[int]()
    for place in moved:
        inversions += len(before) - bisect(before, place)
        insort(before, place)
    return 1 - 4 * inversions / (count * (count - 1))
