"""The proofs in short form; ``make bench-experiments`` runs them in full."""

from __future__ import annotations

import pytest

from es_rerank.evaluation.proofs import (
    Proof,
    binomial_interval,
    broken_assignment,
    factor,
    false_alarms,
    power,
)
from es_rerank.evaluation.simulate import MODELS
from tests.evaluation.test_simulate import WORLD


def test_bounds() -> None:
    """A proof holds between its bounds; of 1,000 fair trials at 5 % between 37 and 64 come true."""
    assert Proof("x", 0.05, 0.04, 0.06, "").holds
    assert not Proof("x", 0.07, 0.04, 0.06, "").holds
    assert binomial_interval(0.05, 1000) == (0.037, 0.064)


@pytest.mark.parametrize("model", MODELS)
def test_false_alarms(model: str) -> None:
    """In 100 A/A experiments, looked at once and on each of seven days."""
    for proof in false_alarms(WORLD, model, 100, 600, 7, 1):
        assert proof.holds, proof


def test_power_is_what_was_planned() -> None:
    """In 100 experiments."""
    proof = power(WORLD, "position-based", 100, 1)
    assert proof.holds, proof


@pytest.mark.parametrize("model", MODELS)
def test_interleaving_needs_fewer_searches(model: str) -> None:
    """Than a difference of CTR@10."""
    proof = factor(WORLD, model, 1)
    assert proof.holds, proof


def test_a_broken_assignment_is_found() -> None:
    """And a whole one is left alone."""
    for proof in broken_assignment(WORLD, "cascade", 10, 20_000, 1):
        assert proof.holds, proof
