"""Records and events of an experiment → its searches, each with what was clicked and bought.

An event belongs to the search whose id it names; without one, to the latest search of its unit that showed the object in the
30 minutes before. Clicks on what a search did not show are counted, not credited. Does not fetch anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from es_rerank.experiment.exposure import folded

WINDOW = timedelta(minutes=30)
"""How long after a search an event without a query id may still be its own."""

CLICKS = frozenset({"click", "view", "watch"})
CONVERSIONS = frozenset({"add_to_cart", "purchase", "conversion"})


class Search(msgspec.Struct):
    """One recorded search. ``clicked`` and ``bought`` hold places on the page, from 0; ``value`` is what was earned."""

    query_id: str
    unit: str
    at: datetime
    query: str
    variant: str
    served: str
    outcome: str
    reason: str
    stratum: str
    weights: dict[str, float]
    status: int
    latency_ms: float
    start: int
    total: int | None
    hits: list[str]
    ranks: dict[str, list[int]]
    teams: list[str]
    index: str = ""
    segments: dict[str, str] = {}
    clicked: set[int] = msgspec.field(default_factory=set)
    bought: set[int] = msgspec.field(default_factory=set)
    value: float = 0.0

    @property
    def words(self) -> str:
        """What was searched for, case and blanks aside; empty where it is not recorded."""
        return folded(self.query)

    @property
    def position(self) -> int | None:
        """The rank of the first click in the whole list, from 1: the highest place that was clicked."""
        return self.start + min(self.clicked) + 1 if self.clicked else None


class Joined(msgspec.Struct, frozen=True):
    """Searches in the order of time; events that belong to none of them, and why, by count."""

    searches: list[Search]
    left_over: dict[str, int]


def search_of(record: dict[str, Any]) -> Search:
    """One record; raises KeyError, ValueError for what is none."""
    told = record["query_attributes"]
    return Search(
        query_id=record["query_id"],
        unit=record.get("client_id", ""),
        at=datetime.fromisoformat(record["timestamp"]),
        query=record.get("user_query", ""),
        variant=told["variant"],
        served=told["served"],
        outcome=told["outcome"],
        reason=told.get("reason", ""),
        stratum=told["stratum"],
        weights=told.get("weights", {}),
        status=told.get("status", 200),
        latency_ms=told.get("latency_ms", 0.0),
        start=told.get("from", 0),
        total=told.get("total"),
        hits=record.get("query_response_hit_ids", []),
        ranks=told.get("ranks", {}),
        teams=told.get("teams", []),
        index=told.get("index", ""),
        segments=told.get("segments", {}),
    )


def join(records: Iterable[dict[str, Any]], events: Iterable[dict[str, Any]], experiment: str) -> Joined:
    """Put an experiment's records and all events together."""
    own = (one for one in records if one.get("query_attributes", {}).get("experiment") == experiment)
    found = {one.query_id: one for one in sorted(map(search_of, own), key=lambda one: one.at)}
    by_unit: dict[str, list[Search]] = defaultdict(list)
    for one in found.values():
        by_unit[one.unit].append(one)
    left: dict[str, int] = defaultdict(int)
    for event in events:
        about = event.get("event_attributes", {})
        target = about.get("object", {}).get("object_id")
        search = _searched(event, about, target, found, by_unit)
        if search is None:
            left["of no search of this experiment"] += 1
        elif not _credit(search, event, about, target):
            left["on something that the search did not show"] += 1
    return Joined(list(found.values()), dict(left))


def _searched(
    event: dict[str, Any],
    about: dict[str, Any],
    target: str | None,
    found: dict[str, Search],
    by_unit: dict[str, list[Search]],
) -> Search | None:
    """The search that an event belongs to."""
    if event.get("query_id"):
        return found.get(event["query_id"])
    at = datetime.fromisoformat(event["timestamp"])
    for unit in about.get("units", ()):
        searches = by_unit.get(unit, [])
        for one in reversed(searches[: bisect_right(searches, at, key=lambda one: one.at)]):
            if at - one.at > WINDOW:
                break
            if target in one.hits:
                return one
    return None


def _credit(search: Search, event: dict[str, Any], about: dict[str, Any], target: str | None) -> bool:
    """Note what was done with which hit; a conversion without an object counts for the search."""
    name = event.get("action_name")
    place = search.hits.index(target) if target in search.hits else None
    if place is None:
        ordinal = about.get("position", {}).get("ordinal")
        if target is None and isinstance(ordinal, int) and 0 < ordinal <= len(search.hits):
            place = ordinal - 1
    if name in CONVERSIONS:
        search.value += float(about.get("value", 0.0))
        search.bought.add(-1 if place is None else place)
        return place is not None or target is None
    if place is None:
        return False
    if name in CLICKS:
        search.clicked.add(place)
    return True


def strata(searches: Sequence[Search]) -> dict[str, list[Search]]:
    """Searches by the state of policy and weights under which they were assigned, in the order of time."""
    found: dict[str, list[Search]] = {}
    for one in searches:
        found.setdefault(one.stratum, []).append(one)
    return found
