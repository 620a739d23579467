"""``--since``: how long ago, or a date → a time as records write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from es_rerank.errors import ConfigError

_AGO = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def moment(given: str | None, now: datetime) -> str | None:
    """``7d``, ``12h``, ``30m`` or ISO 8601 (UTC without a zone) → ``2026-11-25T12:00:00.000Z``; raises ConfigError."""
    if given is None:
        return None
    ago = _AGO.fullmatch(given)
    try:
        at = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else datetime.fromisoformat(given)
    except (ValueError, OverflowError) as exc:
        remedy = "write 7d, 12h, 30m, or a date: 2026-11-25, 2026-11-25T12:00"
        raise ConfigError("--since", "", f"{given!r} is no time", remedy) from exc
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
