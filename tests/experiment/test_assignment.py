"""Who gets what: always the same, in the shares that were asked for, and unmoved by a ramp."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.experiment import UnitSource
from es_rerank.experiment.assignment import assign, hashed, point, segments_of, shares, stratum, unit_of
from tests.core.test_experiment import experiment

UNITS = [hashed("salt", str(number)) for number in range(20_000)]


def test_where_a_unit_stands() -> None:
    """The first place with a value counts; a cookie is read as it was sent."""
    sources = (UnitSource(header="X-User"), UnitSource(cookie="session"))
    assert unit_of(((b"x-user", b" 7 "), (b"cookie", b"session=8")), sources) == "7"
    assert unit_of(((b"X-User", b""), (b"Cookie", b'a=b; session="8"; session=9')), sources) == "8"
    assert unit_of(((b"cookie", b"a=b"), (b"cookie", b"session=c=d")), sources) == "c=d"
    assert unit_of(((b"cookie", b"session; xsession=1"),), sources) is None
    assert unit_of((), sources) is None


def test_segments() -> None:
    """What a request says of itself, folded and cut; what it does not say is left out."""
    sources = {
        "device": UnitSource(header="X-Device"),
        "plan": UnitSource(cookie="plan"),
        "land": UnitSource(header="X-Land"),
    }
    said = segments_of(((b"x-device", b"Mobile" * 30), (b"cookie", b"plan=Gold")), sources)
    assert said == {"device": ("mobile" * 30)[:64], "plan": "gold"}


def test_a_hash_tells_nothing_and_is_always_the_same() -> None:
    """Salt and unit both count; a known value pins the formula, since changing it moves everybody."""
    assert hashed("salt", "7") == hashed("salt", "7") != hashed("pepper", "7")
    assert hashed("salt", "7") == "62a5988ca00f84fa2d9b4330a83598f5"
    assert 0 <= min(map(point, UNITS)) < 0.001
    assert 0.999 < max(map(point, UNITS)) < 1


WEIGHTS = [
    {"control": 50.0, "rerank": 50.0},
    {"control": 98.0, "rerank": 2.0},
    {"control": 1.0, "a": 1.0, "b": 1.0},
    {"control": 10.0, "a": 60.0, "b": 10.0, "c": 10.0, "d": 10.0},
    {"control": 0.0, "a": 90.0, "b": 10.0, "c": 0.0},
    {"a": 1.0, "b": 1.0, "c": 1.0},
]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_shares(weights: dict[str, float]) -> None:
    """Each variant gets its share of 20,000 units, within five standard errors."""
    total = sum(weights.values())
    counts = dict.fromkeys(weights, 0)
    for unit in UNITS:
        counts[assign(unit, weights)] += 1
    for name, weight in weights.items():
        share = weight / total
        assert abs(counts[name] / len(UNITS) - share) <= 5 * math.sqrt(share * (1 - share) / len(UNITS)) + 1e-12, counts


@given(st.dictionaries(st.sampled_from("abcdefg"), st.floats(0, 100), min_size=1), st.floats(0.001, 100))
def test_parts_do_not_overlap(treatments: dict[str, float], control: float) -> None:
    """Together they are as long as their weights say, and no two of them share a point."""
    weights = treatments | {"control": control}
    parts = sorted((start, end) for _, start, end in shares(weights))
    for (_, end), (start, _) in pairwise(parts):
        assert start >= end - 1e-12
    total = sum(weights.values())
    for name, weight in treatments.items():
        assert sum(end - start for other, start, end in shares(weights) if other == name) == pytest.approx(weight / total)


def test_a_ramp_moves_nobody() -> None:
    """Two treatments that grow at the cost of control keep everybody that they had."""
    steps: list[dict[str, float]] = [
        {"control": 98.0, "a": 1.0, "b": 1.0},
        {"control": 79.0, "a": 20.0, "b": 1.0},
        {"control": 40.0, "a": 20.0, "b": 40.0},
        {"control": 0.0, "a": 55.0, "b": 45.0},
    ]
    for before, after in pairwise(steps):
        for unit in UNITS[:3000]:
            was = assign(unit, before)
            assert was == "control" or assign(unit, after) == was


def test_strata() -> None:
    """An edit of a variant's policy, of the weights or of the mode is another state; the salt's is not."""
    base = stratum(experiment(), {"a": 1})
    assert base == stratum(experiment(salt="other"), {"a": 1})
    others = {stratum(experiment(mode="interleave"), {"a": 1}), stratum(experiment(), {"a": 2})}
    others.add(stratum(experiment(variants={}), {"a": 1}))
    assert len(others | {base}) == 4
