"""Who is asked next."""

from __future__ import annotations

import asyncio

import pytest

from es_rerank.errors import ScorerError
from es_rerank.scoring.addresses import Addresses
from tests.certificates import Certificates


async def test_turns() -> None:
    """Who has least work, in tokens, however many requests that is; who failed comes last."""
    found = Addresses(["http://a", "unix:/b", "https://c/"])
    first, second, third = found.all
    assert [first.base, second.base, third.base] == ["http://a", "http://scorer", "https://c"]
    with first.busy(900), third.busy(50), third.busy(60):
        assert found.in_turn() == [second, third, first]
        second.failed()
        assert found.in_turn() == [third, first, second]
        assert found.well() == [third, first]
        assert repr(third) == "<Address https://c/: 2 requests, 110 tokens, 0 failures>"
    assert (first.work, first.requests) == (0, 0)
    assert repr(found) == "http://a, unix:/b, https://c/"
    assert second.session is second.session
    await found.close()


async def test_a_breaker_for_each() -> None:
    """Rest doubles with each failure up to half a minute; afterwards one request tries, and the others wait for it."""
    found = Addresses(["http://a", "http://b"])
    first, second = found.all
    now = asyncio.get_running_loop().time()
    rests = []
    for _ in range(7):
        first.failed()
        rests.append(round(first.rests_until - now))
    assert rests == [1, 2, 4, 8, 16, 30, 30]
    assert first.rests(now)
    later = now + 31
    assert not first.rests(later)
    with first.busy(1):
        assert first.rests(later)
    first.worked()
    with first.busy(1):
        assert not first.rests(now)
    second.failed()
    first.failed()
    first.failed()
    assert found.in_turn() == [second, first]
    assert found.well() == []


def test_a_ca_file(certificates: Certificates) -> None:
    """One that can be read, or a fault that names it."""
    assert len(Addresses(["https://a"], certificates.ca).all) == 1
    with pytest.raises(ScorerError, match="cannot be used"):
        Addresses([], certificates.folder / "none")
