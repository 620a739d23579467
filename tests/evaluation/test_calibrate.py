"""A threshold where there is one, and a refusal where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from es_rerank.evaluation.calibrate import Threshold, calibrate


def found(apart: float, queries: int = 40, keep: float = 0.95, **more: int) -> Threshold:
    """Ten hits a query, half of them relevant; scores are normal, the relevant ones' mean so far above the others'."""
    chance = np.random.default_rng(1)
    scores, grades = {}, {}
    for number in range(queries):
        good = [1] * 5 + [0] * 5
        scores[f"q{number}"] = list(chance.normal([apart * mark for mark in good], 1.0))
        grades[f"q{number}"] = good
    return calibrate(scores, grades, keep=keep, **more)


def test_classes_that_separate() -> None:
    """Three standard deviations apart: the threshold is the 5 % quantile of the relevant ones, 3 - 1.645 in truth."""
    one = found(3.0)
    assert one.refused == ""
    assert one.low < 3 - 1.645 < one.high
    assert one.low <= one.min_score <= one.high
    assert one.kept >= 0.95
    assert one.dropped > 0.85
    assert one.area == pytest.approx(0.983, abs=0.01)
    assert one.area_low < one.area < one.area_high
    assert (one.relevant, one.irrelevant) == (200, 200)
    assert found(3.0) == one


def test_classes_that_do_not() -> None:
    """A coin; too few; and a threshold that would drop nearly nothing."""
    assert "do not tell relevant from irrelevant" in found(0.0).refused
    assert "5 relevant and 5 irrelevant judged hits; 30 of each" in found(3.0, queries=1).refused
    assert "would drop" in found(1.0, keep=0.999, queries=400).refused
    assert "0 relevant" in calibrate({}, {}).refused


def test_the_grade_that_counts() -> None:
    """Grades below it are irrelevant."""
    assert found(3.0, relevant=2).relevant == 0


def test_ties_are_half() -> None:
    """Scores that are all equal tell nothing."""
    scores = {f"q{n}": [1.0, 1.0] for n in range(40)}
    one = calibrate(scores, {name: [1, 0] for name in scores})
    assert one.area == 0.5
    assert one.refused
