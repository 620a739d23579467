"""Clicks and conversions as browsers and servers report them → events in the fields of User Behavior Insights 1.3.

An event names what was done (``action_name``), to which object, and best of all in which search (``query_id``). What tells
a person apart is hashed, with the salt of every running experiment, and not kept. A bad event is refused in words.
Source: the schema ``event.schema.json`` of o19s/ubi 1.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from es_rerank.core.experiment import ExperimentPolicy
from es_rerank.experiment.assignment import hashed

PERSONAL = ("client_id", "user_id", "session_id")
"""Fields that are hashed; the first of them is the unit, in this order, where a search's id is not known."""

MOST = 1000
"""Events in one request."""

_LONGEST = 500


class BadEvent(Exception):
    """What is wrong with one event."""


def parse(body: bytes) -> list[Any] | None:
    """The events of a body: one object, an array, or NDJSON; None: it is none of these."""
    if not body.strip():
        return None
    try:
        found = msgspec.json.decode(body)
    except ValueError:
        try:
            found = [msgspec.json.decode(line) for line in body.splitlines() if line.strip()]
        except ValueError:
            return None
    return found if isinstance(found, list) else [found]


def event(given: object, identity: str, at: datetime, running: Sequence[ExperimentPolicy], unit: str | None) -> bytes:
    """One event as it is kept; raises BadEvent.

    ``identity`` is its id, ``at`` the time where it names none, ``unit`` whose request it came with, in clear.
    """
    if not isinstance(given, dict):
        raise BadEvent("an event is an object")
    name = _text(given, "action_name")
    if name is None:
        raise BadEvent("`action_name` is missing, `click` or `purchase` for one")
    query_id = _text(given, "query_id")
    attributes = given.get("event_attributes", {})
    if not isinstance(attributes, dict):
        raise BadEvent("`event_attributes` is no object")
    target, position = _object(attributes), _position(attributes)
    person = next((found for found in (_text(given, field) for field in PERSONAL) if found), None) or unit
    if query_id is None and (person is None or target is None):
        raise BadEvent("without `query_id` an event needs the object's `object_id` and a `client_id`")
    kept: dict[str, Any] = {
        "application": _text(given, "application"),
        "action_name": name,
        "query_id": query_id,
        "user_query": _text(given, "user_query"),
        "message": _text(given, "message"),
        "message_type": _text(given, "message_type"),
        "timestamp": _time(given, at),
        "event_id": identity,
    }
    about: dict[str, Any] = {"units": [hashed(experiment.secret, person) for experiment in running] if person else None}
    about["object"] = {"object_id": target, "object_id_field": "_id"} if target else None
    about["position"] = None if position is None else {"ordinal": position}
    about["value"] = _number(attributes, "value")
    kept["event_attributes"] = _present(about)
    return msgspec.json.encode(_present(kept))


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _text(given: dict[str, Any], name: str) -> str | None:
    """A text, or a number as one; too long is wrong, empty is absent."""
    found = given.get(name)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, str | int) or len(str(found)) > _LONGEST:
        raise BadEvent(f"`{name}` is no text of up to {_LONGEST} characters")
    return str(found)


def _object(attributes: dict[str, Any]) -> str | None:
    found = attributes.get("object", {})
    if not isinstance(found, dict):
        raise BadEvent("`event_attributes.object` is no object")
    return _text(found, "object_id")


def _position(attributes: dict[str, Any]) -> int | None:
    """The place on the page, from 1; places in pixels (``xy``) are not kept."""
    found = attributes.get("position", {})
    ordinal = found.get("ordinal") if isinstance(found, dict) else None
    if ordinal is not None and (type(ordinal) is not int or not 0 < ordinal <= 10**6):
        raise BadEvent("`event_attributes.position.ordinal` is no place from 1")
    return ordinal


def _number(attributes: dict[str, Any], name: str) -> float | None:
    """What a conversion is worth, where that is said."""
    found = attributes.get(name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
        raise BadEvent(f"`event_attributes.{name}` is no number")
    return found


def _time(given: dict[str, Any], at: datetime) -> str:
    """When it was, in UTC: ISO 8601 or milliseconds since 1970."""
    found = given.get("timestamp")
    try:
        if found is None:
            moment = at
        elif type(found) is int:
            moment = datetime.fromtimestamp(found / 1000, UTC)
        else:
            moment = datetime.fromisoformat(str(found))
    except (TypeError, ValueError, OverflowError, OSError) as exc:
        raise BadEvent("`timestamp` is neither ISO 8601 nor milliseconds") from exc
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
