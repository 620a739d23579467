"""Batches that are too large, or hold a pair that gives no number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from es_rerank.errors import ScorerError
from es_rerank.scoring.backend import OutOfMemory, Prepared
from es_rerank.scoring.retry import scored


class Limited:
    """Takes up to ``most`` pairs; the logit is the cost, NaN for the whole batch where a cost of 13 is in it."""

    name = "limited"
    device = "cpu"

    def __init__(self, most: int) -> None:
        self.most = most

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        return [Prepared(passage, len(passage), b"") for passage in passages]

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        if len(batch) > self.most:
            raise OutOfMemory("too many")
        costs = [float(prepared.cost) for prepared in batch]
        return [math.nan] * len(costs) if 13 in costs else costs


def _batch(*costs: int) -> list[Prepared]:
    return [Prepared(None, cost, b"") for cost in costs]


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_halves_until_it_fits(most: int) -> None:
    """In the order of the batch."""
    assert scored(Limited(most), _batch(5, 1, 4, 2, 3, 9, 7)) == [5, 1, 4, 2, 3, 9, 7]


def test_no_number_stays_with_its_pair() -> None:
    """The others are scored without it."""
    found = scored(Limited(9), _batch(5, 1, 13, 2, 3))
    assert [value for value in found if not math.isnan(value)] == [5, 1, 2, 3]
    assert math.isnan(found[2])


def test_what_cannot_be_mended() -> None:
    """One pair that does not fit; a backend that miscounts."""
    with pytest.raises(OutOfMemory):
        scored(Limited(0), _batch(1))

    class Short(Limited):
        def score(self, batch: Sequence[Prepared]) -> list[float]:
            return super().score(batch)[1:]

    with pytest.raises(ScorerError, match="gave 1 scores for 2 pairs"):
        scored(Short(9), _batch(1, 2))
