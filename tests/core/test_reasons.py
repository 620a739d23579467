"""The closed list of outcomes and reasons."""

from __future__ import annotations

from es_rerank.core.reasons import MEANINGS, Disposition, Outcome, Reason


def test_every_reason_is_explained() -> None:
    """A reason without words would leave an operator alone."""
    assert set(MEANINGS) == set(Reason)


def test_header_values() -> None:
    """Structured-field tokens with parameters."""
    assert Disposition(Outcome.RERANKED, None, 100, 98).header() == "reranked;window=100;scored=98"
    assert Disposition(Outcome.PASSED_THROUGH, Reason.SORT).header() == "passed-through;reason=sort"
    assert Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, 30, 0).header() == "fell-back;reason=timeout;window=30;scored=0"
