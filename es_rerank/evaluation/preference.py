"""Interleaved lists → which team is preferred, and how sure that is.

Credit by team: Radlinski, Kurup and Joachims, CIKM 2008. Units, not searches, are what varies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.evaluation.inference import always_valid_factor, p_value, sums
from es_rerank.evaluation.records import Search


class Preference(msgspec.Struct, frozen=True):
    """Of two teams of interleaved lists: clicks that the first earned less the second's, for each search; and who won."""

    first: str
    second: str
    wins: int
    losses: int
    ties: int
    value: float
    low: float
    high: float
    always_low: float
    always_high: float
    p: float


def credit(search: Search, first: str, second: str) -> int:
    """Clicks on what the first team drafted less those on what the second did (Radlinski, Kurup and Joachims, CIKM 2008).

    A hit that both would have drafted in that round is nobody's: a coin gave it away, so its clicks tell nothing of the
    teams and are noise that cancels out on average.
    """
    agreed = contested(search.teams, search.ranks.get(first, ()), search.ranks.get(second, ()), first, second)
    clicked = Counter(search.teams[place] for place in search.clicked if place < len(search.teams) and place not in agreed)
    return clicked[first] - clicked[second]


def contested(
    teams: Sequence[str], first_ranks: Sequence[int], second_ranks: Sequence[int], first: str, second: str
) -> set[int]:
    """Places whose hit one of two teams drafted before the other, which wanted it in the same round.

    A round ends where a team drafts again. Ranks are from 1, 0: that team does not hold the hit.
    """
    ranks = {first: first_ranks, second: second_ranks}
    found: set[int] = set()
    taken: dict[str, int] = {}
    for place, team in enumerate(teams):
        if team in taken or not team:
            taken = {}
        if team in ranks:
            other = second if team == first else first
            if other in taken:
                earlier = taken[other]
                if 0 < ranks[team][earlier] < ranks[team][place]:
                    found.add(earlier)
        taken[team] = place
    return found


def preference(searches: Sequence[Search], first: str, second: str, planned: int | None = None) -> Preference:
    """How many clicks more the first team earns for each search, with units as clusters."""
    found: dict[str, tuple[float, float]] = {}
    won: Counter[int] = Counter()
    for one in searches:
        ahead = credit(one, first, second)
        won[(ahead > 0) - (ahead < 0)] += 1
        known = found.get(one.unit, (0.0, 0.0))
        found[one.unit] = (known[0] + ahead, known[1] + 1)
    whole = sums(found)
    error = math.sqrt(whole.variance)
    value, span = whole.value, 1.959964 * error
    wide = error * always_valid_factor(whole.units, planned)
    return Preference(
        first, second, won[1], won[-1], won[0], value, value - span, value + span, value - wide, value + wide,
        p_value(value, error),
    )  # fmt: skip


def preferences(searches: Sequence[Search], planned: int | None) -> list[Preference]:
    """Every pair of teams, control second where it is one of them."""
    teams = sorted({team for one in searches for team in one.teams if team}, key=lambda name: (name == CONTROL, name))
    return [preference(searches, first, second, planned) for first, second in combinations(teams, 2)]
