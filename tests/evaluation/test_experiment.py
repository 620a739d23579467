"""What can be said of an experiment, and when nothing can."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from es_rerank.evaluation.experiment import Analysis, analysed
from es_rerank.evaluation.records import Joined, Search, search_of
from tests.evaluation.test_records import record


def searches(count: int, variant: str, rate: float, seed: int, **told: Any) -> list[Search]:
    """Units of two searches each, that click the first hit at a rate."""
    chance = np.random.default_rng(seed)
    found = []
    for number in range(count):
        one = search_of(record(f"{variant}{number}", f"{variant}{number // 2}", number % 60, variant, **told))
        one.clicked = {0} if chance.random() < rate else set()
        found.append(one)
    return found


def split(*groups: list[Search]) -> Analysis:
    return analysed("e", "split", Joined([one for group in groups for one in group], {}))


def test_a_difference() -> None:
    """By as many units as there are; as served it is the same effect on those that were reranked."""
    treated = searches(4000, "rerank", 0.5, 2)
    for one in treated[::4]:
        one.served, one.outcome, one.reason = "control", "fell-back", "timeout"
    (stratum,) = split(searches(4000, "control", 0.4, 1, outcome="passed-through", reason="control"), treated).strata
    assert (stratum.stopped, stratum.units, stratum.searches) == ("", 4000, 8000)
    control, rerank = stratum.variants
    assert (control.name, control.rows, control.outcomes) == ("control", [], {"passed-through (control)": 4000})
    assert rerank.outcomes == {"reranked": 3000, "fell-back (timeout)": 1000}
    assert rerank.reranked == 0.75
    ctr = rerank.rows[0]
    assert ctr.outcome == "CTR@10"
    assert ctr.assigned.low < 0.1 < ctr.assigned.high
    assert ctr.assigned.low > 0
    assert ctr.served is not None
    assert ctr.served.change == pytest.approx(ctr.assigned.change / 0.75)
    assert ctr.corrected == ctr.assigned.p < 0.001
    assert rerank.clicks[0] == pytest.approx(0.5, abs=0.03)


def test_several_variants_are_corrected() -> None:
    """Each against control; the p's by Holm's method."""
    weights = {"control": 1.0, "rerank": 1.0, "wide": 1.0}
    groups = [
        searches(600, name, rate, seed, weights=weights)
        for seed, (name, rate) in enumerate((("control", 0.4), ("rerank", 0.47), ("wide", 0.4)))
    ]
    _, rerank, wide = split(*groups).strata[0].variants
    assert rerank.rows[0].corrected > rerank.rows[0].assigned.p
    assert wide.rows[0].corrected >= rerank.rows[0].corrected


def test_kinds_of_searches() -> None:
    """The variant helps on telephones only; the p's of all kinds are corrected together."""

    def group(variant: str, rates: tuple[float, float], seed: int) -> list[Search]:
        return [
            *searches(800, variant, rates[0], seed, segments={"device": "telephone"}),
            *(
                msgspec.structs.replace(one, unit=f"d{one.unit}", query_id=f"d{one.query_id}")
                for one in searches(800, variant, rates[1], seed + 1, segments={"device": "desktop"})
            ),
        ]

    (stratum,) = split(group("control", (0.3, 0.4), 1), group("rerank", (0.5, 0.4), 3)).strata
    found = {(one.dimension, one.kind): one for one in stratum.segments}
    assert {("device", "telephone"), ("device", "desktop")} == set(found)
    telephone, desktop = found["device", "telephone"], found["device", "desktop"]
    assert (telephone.variant, telephone.searches) == ("rerank", 1600)
    assert telephone.low < 0.2 < telephone.high
    assert telephone.low > 0.1
    assert telephone.corrected < 0.001
    assert desktop.low < 0 < desktop.high


def test_nobody_was_reranked() -> None:
    """There is no effect as served."""
    treated = searches(40, "rerank", 0.5, 2, served="control", outcome="fell-back")
    assert split(searches(40, "control", 0.5, 1), treated).strata[0].variants[1].rows[0].served is None


def test_a_sample_ratio_mismatch_stops_the_report() -> None:
    """With words that help."""
    (stratum,) = split(searches(1000, "control", 0.4, 1), searches(600, "rerank", 0.4, 2)).strata
    assert "sample-ratio mismatch" in stratum.stopped
    assert "control 500, rerank 300" in stratum.stopped
    assert stratum.variants == []


def test_a_unit_that_is_most_of_the_traffic_stops_the_report() -> None:
    """From a thousand searches on."""
    robot = searches(1000, "control", 0.4, 1)
    for one in robot[:30]:
        one.unit = "robot"
    (stratum,) = split(robot, searches(1000, "rerank", 0.4, 2)).strata
    assert "one unit (robot) holds 1.5%" in stratum.stopped


def test_guards() -> None:
    """Worse for certain: told; a little slower is what reranking costs."""

    def slowed(by: float) -> list[str]:
        treated = searches(400, "rerank", 0.4, 2, latency_ms=50.0 + by)
        return split(searches(400, "control", 0.4, 1, latency_ms=50.0), treated).strata[0].alarms

    assert slowed(60) == []
    assert slowed(160) == ["rerank: latency is worse (50 → 210); stop the experiment"]


def test_strata_are_apart() -> None:
    """The latest first."""
    old = searches(40, "control", 0.4, 1, stratum="old") + searches(40, "rerank", 0.4, 2, stratum="old")
    new = [
        search_of(record("n", "n", 59, "control", stratum="new")),
        search_of(record("m", "m", 59, "rerank", stratum="new")),
    ]
    assert [one.name for one in split(old, new).strata] == ["new", "old"]


def test_shadow() -> None:
    """Nobody saw anything: counts only."""
    found = analysed("e", "shadow", Joined(searches(10, "control", 0.4, 1), {"of no search of this experiment": 3}))
    assert found.left_over == {"of no search of this experiment": 3}
    assert [one.searches for one in found.strata[0].variants] == [10]
