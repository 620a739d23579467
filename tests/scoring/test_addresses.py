"""Who is asked next."""

from __future__ import annotations

import pytest

from es_rerank.errors import ScorerError
from es_rerank.scoring.addresses import Addresses
from tests.certificates import Certificates


async def test_turns() -> None:
    """Who has the least to do; who could not be reached comes last."""
    found = Addresses(["http://a", "unix:/b", "https://c/"])
    first, second, third = found.all
    assert [first.base, second.base, third.base] == ["http://a", "http://scorer", "https://c"]
    first.under_way, third.under_way = 2, 1
    assert found.in_turn() == [second, third, first]
    second.rest()
    assert found.in_turn() == [third, first, second]
    assert repr(found) == "http://a, unix:/b, https://c/"
    assert second.session is second.session
    await found.close()


def test_a_ca_file(certificates: Certificates) -> None:
    """One that can be read, or a fault that names it."""
    assert len(Addresses(["https://a"], certificates.ca).all) == 1
    with pytest.raises(ScorerError, match="cannot be used"):
        Addresses([], certificates.folder / "none")
