"""Records and events, put together."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.evaluation.records import Search, join, search_of, strata


def record(identity: str, unit: str = "u", minute: int = 0, variant: str = "rerank", **told: Any) -> dict[str, Any]:
    attributes = {
        "experiment": "e",
        "variant": variant,
        "served": variant,
        "outcome": "reranked",
        "stratum": "s",
        "weights": {"control": 1.0, "rerank": 1.0},
        **{"from" if name == "start" else name: value for name, value in told.items()},
    }
    return {
        "query_id": identity,
        "client_id": unit,
        "timestamp": f"2026-11-25T12:{minute:02}:00.000Z",
        "user_query": "snow",
        "query_response_hit_ids": ["a", "b", "c"],
        "query_attributes": attributes,
    }


def event(
    name: str = "click", query_id: str | None = "q1", target: str | None = "a", minute: int = 0, **about: Any
) -> dict[str, Any]:
    attributes = {"object": {"object_id": target}, **about} if target else about
    told = {"action_name": name, "timestamp": f"2026-11-25T12:{minute:02}:00.000Z", "event_attributes": attributes}
    return told | ({"query_id": query_id} if query_id else {})


def joined(
    *events: dict[str, Any], records: tuple[dict[str, Any], ...] | None = None
) -> tuple[dict[str, Search], dict[str, int]]:
    found = join(records or (record("q1"), record("q2", minute=10)), events, "e")
    return {one.query_id: one for one in found.searches}, found.left_over


def test_a_record() -> None:
    """What is absent has its default; the first click's rank counts from the first page."""
    one = search_of(record("q1", start=10))
    assert (one.start, one.total, one.teams, one.status, one.position) == (10, None, [], 200, None)
    one.clicked |= {2, 1}
    assert one.position == 12


def test_clicks_and_conversions() -> None:
    """By the search that they name; a place will do where the object is not named; values add up."""
    found, left = joined(
        event(target="c"),
        event(target=None, position={"ordinal": 2}),
        event("purchase", target="b", value=9.5),
        event("purchase", target=None, value=0.5),
        event("impression", target="a"),
    )
    assert (found["q1"].clicked, found["q1"].bought, found["q1"].value) == ({1, 2}, {1, -1}, 10.0)
    assert found["q2"].clicked == set()
    assert left == {}


def test_events_that_belong_nowhere() -> None:
    """Counted, not credited."""
    found, left = joined(
        event(query_id="nope"),
        event(target="z"),
        event("purchase", target="z"),
        event(target=None, position={"ordinal": 9}),
        event(query_id=None, target="a", minute=5),
    )
    assert left == {"of no search of this experiment": 2, "on something that the search did not show": 3}
    assert found["q1"].clicked == set()


@pytest.mark.parametrize(
    ("minute", "target", "unit", "owner"),
    [
        (5, "a", "u", "q1"),
        (15, "a", "u", "q2"),
        (39, "a", "u", "q2"),
        (41, "a", "u", None),
        (15, "z", "u", None),
        (15, "a", "w", None),
    ],
)
def test_without_a_query_id(minute: int, target: str, unit: str, owner: str | None) -> None:
    """The unit's latest search that showed the object, within 30 minutes; units may be hashed for several experiments."""
    found, _ = joined(event(query_id=None, target=target, minute=minute, units=["other", unit]))
    assert [name for name, one in found.items() if one.clicked] == ([owner] if owner else [])


def test_only_this_experiments() -> None:
    """In the order of time; a record that was written twice is one; strata in the order in which they began."""
    other = record("q9")
    other["query_attributes"]["experiment"] = "f"
    records = (record("q2", minute=9, stratum="t"), record("q1"), record("q1"), other)
    found = join(records, [], "e").searches
    assert [one.query_id for one in found] == ["q1", "q2"]
    assert list(strata(found)) == ["s", "t"]
