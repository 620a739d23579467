"""How long ago, or a date."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from es_rerank.cli.moments import moment
from es_rerank.errors import ConfigError

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("7d", "2026-11-18T12:00:00.000Z"),
        ("36h", "2026-11-24T00:00:00.000Z"),
        ("90m", "2026-11-25T10:30:00.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        ("2026-11-20T08:00+08:00", "2026-11-20T00:00:00.000Z"),
    ],
)
def test_moments(given: str, at: str) -> None:
    """As records write them; a date without a zone is UTC."""
    assert moment(given, NOW) == at
    assert moment(None, NOW) is None


@pytest.mark.parametrize("given", ["yesterday", "7 d", "99999999999d"])
def test_no_time(given: str) -> None:
    """Told, with what to write."""
    with pytest.raises(ConfigError, match="write 7d"):
        moment(given, NOW)
