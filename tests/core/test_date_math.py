"""Date math in index names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.date_math import evaluate

NOW = datetime(2026, 3, 31, 22, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ("<logs-{now/d}>", "logs-2026.03.31"),
        ("<logs-{now/M}>", "logs-2026.03.01"),
        ("<logs-{now/y{yyyy}}>", "logs-2026"),
        ("<logs-{now/M-1M{yyyy.MM}}>", "logs-2026.02"),
        ("<logs-{now-1M{yyyy.MM.dd}}>", "logs-2026.02.28"),
        ("<logs-{now-1y/d}>", "logs-2025.03.31"),
        ("<logs-{now/d-1d}-x>", "logs-2026.03.30-x"),
        ("<logs-{now/w}>", "logs-2026.03.30"),
        ("<logs-{now+2h{yyyy-MM-dd-HH}}>", "logs-2026-04-01-00"),
        ("<logs-{now/h{HH:mm:ss}}>", "logs-22:00:00"),
        ("<logs-{now/m{HH:mm:ss}}>", "logs-22:15:00"),
        ("<logs-{now/s{HH.mm.ss}}>", "logs-22.15.30"),
        ("<logs-{now-30m{HH.mm}}>", "logs-21.45"),
        ("<logs-{now-40s-1w{dd.ss}}>", "logs-24.50"),
        ("<logs-{now/d{yyyy.MM.dd|+12:00}}>", "logs-2026.04.01"),
        ("<logs-{now/d{yyyy.MM.dd|-03:00}}>", "logs-2026.03.31"),
        ("<logs-{now/d{yyyy.MM.dd|Europe/Berlin}}>", "logs-*"),
        ("<logs-{now/d{w}}>", "logs-*"),
        ("<logs-{then}>", "logs-*"),
        ("<logs-{now/x}>", "logs-*"),
        ("<logs-{now-99999999d}>", "logs-2026.03.31"),
    ],
)
def test_known_forms(name: str, expected: str) -> None:
    """Forms of the API conventions; what is not evaluated becomes a pattern."""
    assert evaluate(name, NOW) == expected


@given(st.text(max_size=40))
def test_any_text_gives_text(text: str) -> None:
    """No input is refused here."""
    assert isinstance(evaluate(f"<{text}>", NOW), str)
