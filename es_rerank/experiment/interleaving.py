"""Team-draft interleaving: several orders of the same hits → one list, and who drafted each place.

In each round the teams draft in a random order, each the best hit of its own order that nobody has drafted yet.
Radlinski, Kurup and Joachims, CIKM 2008; more than two teams: Schuth et al., CIKM 2014 (team-draft multileaving). What is
random here is a hash, so the list is a function of its arguments alone: the same unit sees the same list on every page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence


def draft(orders: Mapping[str, Sequence[int]], seed: str) -> list[tuple[int, str]]:
    """Draft until every order is used up; gives ``(hit, team)`` from the first place on.

    ``orders`` hold each hit at most once; they may differ in length and in what they hold.
    """
    rest = {team: iter(order) for team, order in sorted(orders.items())}
    drafted: dict[int, str] = {}
    number = 0
    while rest:
        for team in _turns(list(rest), seed, number):
            found = next((hit for hit in rest[team] if hit not in drafted), None)
            if found is None:
                del rest[team]
            else:
                drafted[found] = team
        number += 1
    return list(drafted.items())


def _turns(teams: list[str], seed: str, number: int) -> list[str]:
    """The order in which teams draft in one round."""
    return sorted(teams, key=lambda team: hashlib.sha256(f"{seed}\0{number}\0{team}".encode()).digest())


def seed_of(experiment: str, unit: str, query: str, orders: Mapping[str, Sequence[int]]) -> str:
    """What chance there is: experiment, unit, query and the orders themselves."""
    said = repr((experiment, unit, query, sorted((team, list(order)) for team, order in orders.items())))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
