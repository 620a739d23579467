"""An experiment's searches → what can be said of it, and whether anything can.

As assigned: every search counts for the variant that its unit was given, whatever it was served. As served: the same effect
for those searches alone that were reranked, by the ratio of effect and share (Angrist, Imbens and Rubin, JASA 1996), which
holds because control is never reranked. A broken assignment, or one unit that is most of the traffic, stops the analysis.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.evaluation.compare import corrected
from es_rerank.evaluation.inference import (
    SRM_ALPHA,
    Difference,
    Sums,
    difference,
    mismatch,
    sums,
)
from es_rerank.evaluation.outcomes import OUTCOMES, Outcome, by_rank
from es_rerank.evaluation.preference import Preference, preferences
from es_rerank.evaluation.records import Joined, Search, strata
from es_rerank.evaluation.segments import Effect, Segment, segments

HEAVY = 0.01
"""A unit with more than this share of the searches is a robot, or no unit at all."""

LEAST_SEARCHES = 1_000
"""Below this one unit's share says nothing."""

_MOVED = 10

TOLERATED = {"latency": 100.0}
"""How much worse a guard may be, in its own unit, before the experiment should be stopped; 0 where none is named."""


class Row(msgspec.Struct, frozen=True):
    """One measure of one variant against control. ``corrected`` is the p with the other variants taken into account."""

    outcome: str
    assigned: Difference
    served: Difference | None
    corrected: float


class VariantResult(msgspec.Struct, frozen=True):
    """One variant: how many, what became of its searches, its measures and its clicks by rank."""

    name: str
    units: int
    searches: int
    reranked: float
    outcomes: dict[str, int]
    rows: list[Row]
    clicks: list[float]


class QueryChange(msgspec.Struct, frozen=True):
    """One query: the main measure under control and under a variant, and how many searches each is made of."""

    query: str
    variant: str
    control: float
    changed: float
    searches: int


class Stratum(msgspec.Struct, frozen=True):
    """One state of policy and weights, and what came of it. ``stopped``: why nothing can be said."""

    name: str
    since: str
    until: str
    searches: int
    units: int
    weights: dict[str, float]
    mismatch: float
    stopped: str
    alarms: list[str]
    variants: list[VariantResult]
    preferences: list[Preference]
    queries: list[QueryChange] = []
    segments: list[Segment] = []


class Analysis(msgspec.Struct, frozen=True):
    """An experiment, stratum by stratum, the latest first."""

    experiment: str
    mode: str
    left_over: dict[str, int]
    strata: list[Stratum]


def analysed(name: str, mode: str, joined: Joined, planned_units: int | None = None) -> Analysis:
    """Analyse every stratum by itself."""
    found = [_stratum(key, mode, searches, planned_units) for key, searches in strata(joined.searches).items()]
    return Analysis(name, mode, joined.left_over, sorted(found, key=lambda one: one.until, reverse=True))


def _stratum(name: str, mode: str, searches: Sequence[Search], planned: int | None) -> Stratum:
    units = Counter(one.unit for one in searches)
    by_variant = _by_variant(searches)
    weights = searches[-1].weights
    counts = {variant: len({one.unit for one in of}) for variant, of in by_variant.items()}
    p = mismatch(counts, weights) if mode == "split" else 1.0
    stopped = _why_not(mode, p, units, len(searches), counts, weights)
    variants: list[VariantResult] = []
    preferred: list[Preference] = []
    if not stopped and mode == "split":
        variants = _variants(by_variant, planned)
    elif not stopped and mode == "interleave":
        preferred = preferences(searches, planned)
        variants = [_result(key, of, []) for key, of in sorted(by_variant.items())]
    elif not stopped:
        variants = [_result(CONTROL, searches, [])]
    return Stratum(
        name=name,
        since=min(one.at for one in searches).isoformat(timespec="seconds"),
        until=max(one.at for one in searches).isoformat(timespec="seconds"),
        searches=len(searches),
        units=len(units),
        weights=weights,
        mismatch=p,
        stopped=stopped,
        alarms=_alarms(variants),
        variants=variants,
        preferences=preferred,
        queries=_queries(by_variant) if variants and mode == "split" else [],
        segments=[] if stopped or mode == "shadow" else segments(searches, _changes if mode == "split" else _preferred),
    )


def _by_variant(searches: Sequence[Search]) -> dict[str, list[Search]]:
    found: dict[str, list[Search]] = defaultdict(list)
    for one in searches:
        found[one.variant].append(one)
    return found


def _changes(searches: Sequence[Search]) -> dict[str, Effect]:
    """The main measure of every variant against control's."""
    by_variant = _by_variant(searches)
    control = by_variant.pop(CONTROL, [])
    found = {name: _compared(OUTCOMES[0], control, of, None) for name, of in sorted(by_variant.items())}
    return {name: (one.change, one.low, one.high, one.p) for name, one in found.items()}


def _preferred(searches: Sequence[Search]) -> dict[str, Effect]:
    """Which team of an interleaved list earned more clicks."""
    return {f"{one.first} over {one.second}": (one.value, one.low, one.high, one.p) for one in preferences(searches, None)}


def _why_not(
    mode: str, p: float, units: Counter[str], searches: int, counts: dict[str, int], weights: dict[str, float]
) -> str:
    """Why nothing can be said, in words; empty: it can."""
    if p < SRM_ALPHA:
        seen = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        asked = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
        return (
            f"sample-ratio mismatch (p = {p:.2g}): units came as {seen}, the weights are {asked}. Something assigns, "
            "records or loses searches differently for the variants; whatever is measured would measure that, too. Look "
            "at proxies in front that cache, at instances with other policies, and at records that were dropped"
        )
    if mode != "shadow" and searches >= LEAST_SEARCHES and units:
        unit, most = units.most_common(1)[0]
        if most > HEAVY * searches:
            return (
                f"one unit ({unit}) holds {most / searches:.1%} of the searches, more than {HEAVY:.0%}: it is a robot, or "
                "the unit is not read where you think. Leave it out in front of the proxy, or name another unit"
            )
    return ""


def _variants(by_variant: dict[str, list[Search]], planned: int | None) -> list[VariantResult]:
    control = by_variant.get(CONTROL, [])
    others = {name: of for name, of in sorted(by_variant.items()) if name != CONTROL}
    rows: dict[str, list[Row]] = {name: [] for name in others}
    for outcome in OUTCOMES:
        found = {name: _compared(outcome, control, of, planned) for name, of in others.items()}
        ps = corrected([one.p for one in found.values()])
        for (name, assigned), p in zip(found.items(), ps, strict=True):
            rows[name].append(Row(outcome.name, assigned, _as_served(assigned, _share(others[name])), p))
    return [_result(CONTROL, control, []), *(_result(name, of, rows[name]) for name, of in others.items())]


def by_unit(outcome: Outcome, searches: Sequence[Search]) -> Sums:
    """A measure's numerators and denominators, summed for each unit."""
    found: dict[str, tuple[float, float]] = {}
    for one in searches:
        above, below = outcome.of(one)
        known = found.get(one.unit, (0.0, 0.0))
        found[one.unit] = (known[0] + above, known[1] + below)
    return sums(found)


def _compared(outcome: Outcome, control: Sequence[Search], variant: Sequence[Search], planned: int | None) -> Difference:
    return difference(by_unit(outcome, control), by_unit(outcome, variant), planned)


def _share(searches: Sequence[Search]) -> float:
    """Of the searches, how many were served as they were assigned."""
    return sum(one.served == one.variant for one in searches) / max(len(searches), 1)


def _as_served(found: Difference, share: float) -> Difference | None:
    """The effect on those that were reranked; None where nobody was."""
    if not share:
        return None
    return Difference(
        control=found.control,
        variant=found.control + found.change / share,
        change=found.change / share,
        low=found.low / share,
        high=found.high / share,
        always_low=found.always_low / share,
        always_high=found.always_high / share,
        p=found.p,
    )


def _result(name: str, searches: Sequence[Search], rows: list[Row]) -> VariantResult:
    became = Counter(f"{one.outcome} ({one.reason})" if one.reason else one.outcome for one in searches)
    units = len({one.unit for one in searches})
    return VariantResult(name, units, len(searches), _share(searches), dict(became), rows, by_rank(searches))


def _queries(by_variant: dict[str, list[Search]], least: int = 5) -> list[QueryChange]:
    """Queries that gained and lost most, by the change of the main measure times its searches."""
    main = OUTCOMES[0]
    counted = {name: _by_query(main, of) for name, of in by_variant.items()}
    control = counted.pop(CONTROL, {})
    found = []
    for name, of in counted.items():
        for query, (above, below) in of.items():
            before = control.get(query, (0.0, 0.0))
            if query and min(below, before[1]) >= least:
                found.append(QueryChange(query, name, before[0] / before[1], above / below, int(below + before[1])))
    found.sort(key=lambda one: (one.changed - one.control) * one.searches, reverse=True)
    return found if len(found) <= 2 * _MOVED else found[:_MOVED] + found[-_MOVED:]


def _by_query(outcome: Outcome, searches: Sequence[Search]) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for one in searches:
        words = one.words
        known, value = found.get(words, (0.0, 0.0)), outcome.of(one)
        found[words] = (known[0] + value[0], known[1] + value[1])
    return found


def _alarms(variants: Sequence[VariantResult]) -> list[str]:
    """Guards that are worse for certain, at whatever time one looks."""
    guards = {one.name for one in OUTCOMES if one.guard}
    found = []
    for variant in variants:
        for row in variant.rows:
            if row.outcome in guards and row.assigned.always_low > TOLERATED.get(row.outcome, 0.0):
                worse = f"{row.assigned.control:.4g} → {row.assigned.variant:.4g}"
                found.append(f"{variant.name}: {row.outcome} is worse ({worse}); stop the experiment")
    return found
