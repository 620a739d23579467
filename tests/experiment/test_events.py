"""Clicks and conversions: what is kept of them, and what is said of those that cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.experiment.assignment import hashed
from es_rerank.experiment.events import BadEvent, event, parse
from tests.core.test_experiment import experiment

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CLICK: dict[str, Any] = {"action_name": "click", "query_id": "q1"}


def kept(given: Any, unit: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event(given, "e1", AT, [experiment(), experiment(salt="s")], unit))
    return found


def test_a_click() -> None:
    """The fields of the specification; who it was is hashed for every experiment, and not kept otherwise."""
    told = kept(
        CLICK
        | {"application": "shop", "user_query": "snow", "client_id": "ann", "user_id": 7, "session_id": "x", "message": "m"}
        | {"message_type": "INFO", "timestamp": "2026-11-25T13:00:00+01:00", "other": 1}
        | {"event_attributes": {"object": {"object_id": 42, "name": "n"}, "position": {"ordinal": 3}, "value": 9.5}}
    )
    assert told == {
        "application": "shop",
        "action_name": "click",
        "query_id": "q1",
        "user_query": "snow",
        "message": "m",
        "message_type": "INFO",
        "timestamp": "2026-11-25T12:00:00.000Z",
        "event_id": "e1",
        "event_attributes": {
            "units": [hashed("e", "ann"), hashed("s", "ann")],
            "object": {"object_id": "42", "object_id_field": "_id"},
            "position": {"ordinal": 3},
            "value": 9.5,
        },
    }


def test_the_least() -> None:
    """A name and a search; the time is that of its arrival, the unit that of the request."""
    assert kept(CLICK) == CLICK | {"timestamp": "2026-11-25T12:00:00.000Z", "event_id": "e1", "event_attributes": {}}
    assert kept(CLICK, "ann")["event_attributes"]["units"][0] == hashed("e", "ann")


@pytest.mark.parametrize(
    ("timestamp", "told"),
    [(1764072000000, "2025-11-25T12:00:00.000Z"), ("2026-11-25T12:00:00.5", "2026-11-25T12:00:00.500Z")],
)
def test_times(timestamp: object, told: str) -> None:
    """Milliseconds, and ISO 8601 without a zone, which is taken for UTC."""
    assert kept(CLICK | {"timestamp": timestamp})["timestamp"] == told


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([], "is an object"),
        ({}, "`action_name` is missing"),
        ({"action_name": ""}, "`action_name` is missing"),
        ({"action_name": True}, "`action_name` is no text"),
        ({"action_name": "x" * 501}, "500 characters"),
        ({"action_name": "click"}, "without `query_id`"),
        ({"action_name": "click", "client_id": "a"}, "without `query_id`"),
        (CLICK | {"event_attributes": []}, "`event_attributes` is no object"),
        (CLICK | {"event_attributes": {"object": "42"}}, "`event_attributes.object` is no object"),
        (CLICK | {"event_attributes": {"position": {"ordinal": 0}}}, "no place from 1"),
        (CLICK | {"event_attributes": {"position": {"ordinal": "1"}}}, "no place from 1"),
        (CLICK | {"event_attributes": {"value": "9"}}, "is no number"),
        (CLICK | {"timestamp": "yesterday"}, "neither ISO 8601"),
        (CLICK | {"timestamp": 10**30}, "neither ISO 8601"),
        (CLICK | {"timestamp": []}, "neither ISO 8601"),
    ],
)
def test_bad_events(bad: object, words: str) -> None:
    """In words."""
    with pytest.raises(BadEvent, match=words):
        kept(bad)


def test_without_a_search() -> None:
    """The object and whose click it was will do: it is joined later."""
    told = kept({"action_name": "click", "event_attributes": {"object": {"object_id": "42"}, "position": []}}, "ann")
    assert "query_id" not in told


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a":1}', [{"a": 1}]),
        (b'[{"a":1},{"b":2}]', [{"a": 1}, {"b": 2}]),
        (b'{"a":1}\n\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
        (b"", None),
        (b" \n", None),
        (b"nonsense", None),
    ],
)
def test_bodies(body: bytes, found: list[Any] | None) -> None:
    """One object, an array, or lines."""
    assert parse(body) == found


KEYS = [*CLICK, "event_attributes", "object", "object_id", "position", "ordinal", "timestamp", "client_id", "value"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(json_values)
def test_anything_is_kept_or_refused(value: object) -> None:
    """Never another exception."""
    try:
        assert kept(value)["event_id"] == "e1"
    except BadEvent as fault:
        assert str(fault)
