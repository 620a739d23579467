"""What came of a request, as headers tell it."""

from __future__ import annotations

from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.service.served import Part, Served, ServedMany, Times

RERANKED = Disposition(Outcome.RERANKED, None, 3, 3)
PASSED = Disposition(Outcome.PASSED_THROUGH, Reason.SORT)


def many(*found: Served) -> ServedMany:
    return ServedMany(tuple(Part("books", "books*", served) for served in found))


def test_one_member_for_each_search() -> None:
    """In their order; a single one is written as it always was."""
    assert many(Served(RERANKED)).header() == "reranked;window=3;scored=3"
    assert many(Served(PASSED), Served(RERANKED)).header() == "passed-through;reason=sort, reranked;window=3;scored=3"


def test_very_many_are_counted() -> None:
    """By outcome, in the order of their first."""
    found = many(*[Served(PASSED)] * 50, Served(RERANKED))
    assert found.header() == "passed-through;searches=50, reranked;searches=1"


def test_times_are_those_of_the_longest() -> None:
    """Searches of one request run at once."""
    found = many(Served(RERANKED, times=Times(1.0, 0.1, 3.0)), Served(RERANKED, times=Times(1.0, 0.2, 2.0)))
    assert found.times == Times(1.0, 0.2, 3.0)
    assert many().times == Times()
