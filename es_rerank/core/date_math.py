"""Date math in index names: ``<logs-{now/d{yyyy.MM.dd|+02:00}}>`` → ``logs-2026.11.23``.

Rule: "Date math support in index names" of Elasticsearch's API conventions; the default format is ``yyyy.MM.dd``, in UTC.
Formats of letters other than those below, and named time zones, are not evaluated: such an expression becomes a
pattern with ``*`` in the place of the date, which touches at least the index that is meant. Does not read a clock.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone

_NAME = re.compile(r"\{([^{}]*)(?:\{([^{}|]*)(?:\|([^{}]*))?\})?\}")
_STEP = re.compile(r"([+-])(\d+)([yMwdhHms])|/([yMwdhHms])")
_FORMAT = {"yyyy": "%Y", "uuuu": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_LETTERS = re.compile(r"([A-Za-z])\1*")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def evaluate(part: str, now: datetime) -> str:
    """Replace the date expressions of one part of an index expression; other parts come back as they are."""
    if not (part.startswith("<") and part.endswith(">")):
        return part
    return _NAME.sub(lambda match: _date(match[1], match[2], match[3], now), part[1:-1])


def _date(expression: str, pattern: str | None, zone: str | None, now: datetime) -> str:
    """Give one date as text, or ``*`` where this module cannot tell."""
    offset = _zone(zone)
    if not expression.startswith("now") or offset is None:
        return "*"
    moment = now.astimezone(offset)
    rest = expression[3:]
    steps = list(_STEP.finditer(rest))
    if "".join(step[0] for step in steps) != rest:
        return "*"
    for step in steps:
        moment = _rounded(moment, step[4]) if step[4] else _moved(moment, int(step[1] + step[2]), step[3])
    letters = pattern or "yyyy.MM.dd"
    if any(run[0] not in _FORMAT for run in _LETTERS.finditer(letters)):
        return "*"
    return moment.strftime(_LETTERS.sub(lambda run: _FORMAT[run[0]], letters.replace("%", "%%")))


def _zone(name: str | None) -> timezone | None:
    """UTC where none is given, a fixed offset, or None for a name."""
    if name is None:
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _moved(moment: datetime, amount: int, unit: str) -> datetime:
    """Add ``amount`` units; a day that the month lacks becomes its last."""
    if unit in "yM":
        months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "y" else 1)
        year, month = min(max(months // 12, 1), 9999), months % 12 + 1
        return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
    seconds = {"w": 604_800, "d": 86_400, "h": 3_600, "H": 3_600, "m": 60, "s": 1}[unit]
    try:
        return moment + timedelta(seconds=amount * seconds)
    except OverflowError:
        return moment


def _rounded(moment: datetime, unit: str) -> datetime:
    """Round down to the unit; weeks begin on Monday."""
    if unit == "w":
        moment, unit = moment - timedelta(days=min(moment.weekday(), moment.toordinal() - 1)), "d"
    zeros = {"second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1}
    kept = {"s": 0, "m": 1, "h": 2, "H": 2, "d": 3, "M": 4, "y": 5}[unit]
    moment = moment.replace(microsecond=0)
    return moment.replace(**dict(list(zeros.items())[:kept]))  # type: ignore[arg-type]
