"""How much traffic is needed, against the textbook."""

from __future__ import annotations

import numpy as np
import pytest

from es_rerank.evaluation.inference import Sums
from es_rerank.evaluation.planning import of_rate, of_records, power_of, units_needed


def test_the_textbook() -> None:
    """From 5 to 6 %: 16 p(1-p)/δ² is the rule of thumb, 15.7 the exact factor at 80 %."""
    assert units_needed(of_rate(0.055, 1), 0.01) == pytest.approx(15.698 * 0.055 * 0.945 / 0.0001, rel=1e-3)
    assert power_of(of_rate(0.055, 1), 0.01, units_needed(of_rate(0.055, 1), 0.01)) == pytest.approx(0.8, abs=1e-3)
    assert power_of(0.25, 0.0, 100) == pytest.approx(0.05)


def test_units_that_search_often() -> None:
    """Two independent searches are worth two units; two that are always alike are worth one."""
    assert of_rate(0.5, 2) == pytest.approx(of_rate(0.5, 1) / 2)
    assert of_rate(0.5, 2, correlation=1.0) == pytest.approx(of_rate(0.5, 1))


def test_from_records() -> None:
    """The variance of units as they were."""
    values = Sums(np.array([1.0, 0.0, 1.0, 1.0]), np.ones(4))
    assert of_records(values) == pytest.approx(np.var([1, 0, 1, 1], ddof=1))
