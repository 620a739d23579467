"""Whether the analysis keeps its promises, by simulation: false alarms, power, interleaving against splitting.

Each proof gives a row with the bound that it has to hold. Seeds are fixed.
"""

from __future__ import annotations

import math

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.evaluation.inference import ALPHA, SRM_ALPHA, always_valid_factor, mismatch, p_value
from es_rerank.evaluation.planning import of_records, units_needed
from es_rerank.evaluation.simulate import World, interleave, split

HALF = {CONTROL: 50.0, "rerank": 50.0}
POWER = 0.8
_LARGE = 200_000


class Proof(msgspec.Struct, frozen=True):
    """One promise: what was seen, what it has to lie between, and how it was seen."""

    what: str
    seen: float
    low: float
    high: float
    note: str

    @property
    def holds(self) -> bool:
        """Whether it was kept."""
        return self.low <= self.seen <= self.high


def binomial_interval(share: float, runs: int) -> tuple[float, float]:
    """Between which shares 95 % of series of so many runs lie."""
    from scipy import stats  # noqa: PLC0415  an extra

    low, high = stats.binom.interval(0.95, runs, share)
    return float(low) / runs, float(high) / runs


def false_alarms(world: World, model: str, runs: int, units: int, days: int, seed: int) -> list[Proof]:
    """A/A: nobody sees another order. The test at the end, and somebody who looks every day."""
    import numpy as np  # noqa: PLC0415  an extra

    chance = np.random.default_rng(seed)
    at_end = ever = 0
    for _ in range(runs):
        traffic = split(world, model, units, chance, HALF, same=CONTROL)
        hit = False
        for day in range(1, days + 1):
            upto = units * day // days
            first, second = traffic.sums(0, upto), traffic.sums(1, upto)
            change, error = second.value - first.value, math.sqrt(first.variance + second.variance)
            hit = hit or abs(change) > error * always_valid_factor(upto, units)
        at_end += p_value(change, error) < ALPHA
        ever += hit
    low, high = binomial_interval(ALPHA, runs)
    note = f"{runs} A/A experiments of {units} units, {model}"
    return [
        Proof("false positives of the test at the end", at_end / runs, low, high, note),
        Proof(
            "false positives of the always-valid interval, looked at every day",
            ever / runs,
            0.0,
            high,
            f"{note}, {days} looks",
        ),
    ]


def power(world: World, model: str, runs: int, seed: int) -> Proof:
    """A real difference, and as many units as ``plan`` says: how often it is found."""
    import numpy as np  # noqa: PLC0415  an extra

    chance = np.random.default_rng(seed)
    traffic = split(world, model, _LARGE, chance, HALF)
    variance = (of_records(traffic.sums(0)) + of_records(traffic.sums(1))) / 2
    true = world.click_rate(model, "rerank") - world.click_rate(model, CONTROL)
    units = units_needed(variance, true, POWER)
    found = 0
    for _ in range(runs):
        traffic = split(world, model, 2 * units, chance, HALF)
        one, other = traffic.sums(0), traffic.sums(1)
        found += p_value(other.value - one.value, math.sqrt(one.variance + other.variance)) < ALPHA
    low, high = binomial_interval(POWER, runs)
    note = f"{runs} experiments, {model}, difference {true:+.4f}, {units} units in each variant; planned {POWER:.0%}"
    return Proof("power", found / runs, low - 0.03, high + 0.03, note)


def factor(world: World, model: str, seed: int) -> Proof:
    """How many times fewer searches interleaving needs than the split's CTR@10, for a decision at 80 % power."""
    import numpy as np  # noqa: PLC0415  an extra

    chance = np.random.default_rng(seed)
    traffic = split(world, model, _LARGE, chance, HALF)
    first, second = traffic.sums(0), traffic.sums(1)
    drafted = interleave(world, model, _LARGE, chance)
    # searches are units times the same mean, and both needs share (z + z)²: only variance over squared difference is left
    change = world.click_rate(model, "rerank") - world.click_rate(model, CONTROL)
    won, doubt = drafted.value, math.sqrt(drafted.variance)
    apart = 2 * (of_records(first) + of_records(second)) / change**2
    ratio = apart / (of_records(drafted) / won**2)
    drawn = np.random.default_rng(seed + 1).normal(won, doubt, 4_000)
    ratios = apart / (of_records(drafted) / drawn**2)
    low, high = np.percentile(ratios, [2.5, 97.5])
    values = f"CTR@10 {change:+.4f}, preference {won:+.4f}"
    note = f"{model}; 95 % interval {low:.1f} to {high:.1f}; {values}"
    return Proof("searches that splitting needs, against interleaving", float(ratio), 1.0, math.inf, note)


def broken_assignment(world: World, model: str, runs: int, units: int, seed: int) -> list[Proof]:
    """A tenth of the treatment's units is lost: the sample-ratio check finds it; where nothing is lost it is silent."""
    import numpy as np  # noqa: PLC0415  an extra

    chance = np.random.default_rng(seed)
    caught = silent = 0
    for _ in range(runs):
        variants = split(world, model, units, chance, HALF).variants
        counts = {CONTROL: int((variants == 0).sum()), "rerank": int((variants == 1).sum())}
        silent += mismatch(counts, HALF) >= SRM_ALPHA
        lost = int(chance.binomial(counts["rerank"], 0.1))
        caught += mismatch(counts | {"rerank": counts["rerank"] - lost}, HALF) < SRM_ALPHA
    note = f"{runs} experiments of {units} units"
    return [
        Proof(
            "broken assignments that the sample-ratio check finds",
            caught / runs,
            0.99,
            1.0,
            f"{note}, a tenth of one variant lost",
        ),
        Proof("whole assignments that it leaves alone", silent / runs, 0.99, 1.0, note),
    ]


def all_of_them(world: World, runs: int, seed: int = 20_261_125) -> list[Proof]:
    """Every proof, under both click models."""
    found: list[Proof] = []
    for number, model in enumerate(("cascade", "position-based")):
        found += false_alarms(world, model, runs, 2_000, 14, seed + number)
        found += [power(world, model, runs, seed + 10 + number), factor(world, model, seed + 20 + number)]
    return [*found, *broken_assignment(world, "cascade", max(runs // 5, 20), 20_000, seed + 30)]
