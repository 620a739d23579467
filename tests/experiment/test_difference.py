"""How far two orders are apart, against values worked out by hand and against a slow count."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.experiment.difference import difference, rbo, tau


def test_equal_reversed_and_empty() -> None:
    """The ends of every scale."""
    same = difference([0, 1, 2], [0, 1, 2])
    assert same.rbo == pytest.approx(1)
    assert (same.tau, same.displacement, same.top_changed) == (1, 0, False)
    turned = difference([0, 1, 2], [2, 1, 0])
    assert (turned.tau, turned.displacement, turned.top_changed) == (-1, 4 / 3, True)
    nothing = difference([], [])
    assert (nothing.rbo, nothing.tau, nothing.displacement, nothing.top_changed) == (1, 1, 0, False)


def test_rank_biased_overlap_by_hand() -> None:
    """[a, b] and [b, a]: agreements 0 and 1, so p² + (1-p)/p · (0·p + 1·p²) = p² + (1-p)·p = p."""
    assert rbo([0, 1], [1, 0], 0.9) == pytest.approx(0.9)
    assert rbo([0, 1], [2, 3], 0.9) == 0


@given(st.permutations(range(12)))
def test_tau_is_a_count_of_pairs(order: list[int]) -> None:
    """Concordant pairs less discordant ones, over all of them."""
    pairs = list(combinations(order, 2))
    assert tau(order) == pytest.approx(sum(1 if early < late else -1 for early, late in pairs) / len(pairs))


def test_hits_that_only_one_order_has() -> None:
    """A narrower order is compared as far as it goes."""
    assert difference([0, 1, 2, 3], [1, 0]).displacement == 1
