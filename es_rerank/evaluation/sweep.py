"""Many settings of one policy → what each is worth and costs, which are worth their cost, and one that is chosen.

Chosen on one half of the queries, told on the other, so that the luckiest of many does not look better than it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import msgspec
from rich.table import Table

from es_rerank.errors import EsRerankError
from es_rerank.evaluation.collections import Collection
from es_rerank.evaluation.compare import interval
from es_rerank.evaluation.experiment_page import svg


class SweepFault(EsRerankError):
    """A grid that cannot be read."""


class Point(msgspec.Struct, frozen=True):
    """One setting: its keys, the main measure on both halves (the second with a 95 % interval), and its median time.

    ``frontier``: nothing else is better on the first half and as quick.
    """

    name: str
    keys: dict[str, Any]
    tuned: float
    held_out: float
    low: float
    high: float
    median_ms: float
    frontier: bool = False


def grid(
    windows: Sequence[int], fusions: Sequence[str], fields: Sequence[str], activations: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Every combination of what is given, by name; what is not given stays as the policy has it. Raises SweepFault.

    A fusion is ``replace``, ``rrf``, ``rrf:60`` or ``weighted:0.5``; fields are joined by ``+``.
    """
    axes: list[list[tuple[str, dict[str, Any]]]] = [
        [(f"window {size}", {"rank_window_size": size, "window_max": max(size, 200)}) for size in windows],
        [_fusion(one) for one in fusions],
        [(one, {"passage": {"fields": one.split("+"), "template": None}}) for one in fields],
        [(one, {"score": {"activation": one}}) for one in activations],
    ]
    found = {}
    for chosen in product(*(axis for axis in axes if axis)):
        keys: dict[str, Any] = {}
        for _, part in chosen:
            keys |= part
        found[" · ".join(name for name, _ in chosen) or "as it is"] = keys
    return found


def _fusion(given: str) -> tuple[str, dict[str, Any]]:
    method, _, value = given.partition(":")
    try:
        more: dict[str, Any] = {}
        if value:
            more = {"weight": float(value)} if method == "weighted" else {"rank_constant": int(value)}
    except ValueError as exc:
        raise SweepFault(f"--fusion {given}: {value!r} is no number") from exc
    if method not in {"replace", "weighted", "rrf"}:
        raise SweepFault(f"--fusion {given}: one of replace, weighted:0.5, rrf or rrf:60")
    return given, {"fusion": {"method": method, **more}}


def halves(collection: Collection) -> tuple[list[str], list[str]]:
    """Ids of the queries to choose by and of those to tell by; a hash, so that it is always the same half."""
    marks = {query.id: hashlib.sha256(query.id.encode()).digest()[0] % 2 for query in collection.queries}
    return [query for query, mark in marks.items() if not mark], [query for query, mark in marks.items() if mark]


def points(
    settings: Mapping[str, dict[str, Any]],
    values: Mapping[str, Mapping[str, float]],
    took_ms: Mapping[str, float],
    collection: Collection,
) -> list[Point]:
    """Measure every setting on both halves; ``values`` hold the main measure of each query, ``took_ms`` medians."""
    import numpy as np  # noqa: PLC0415  an extra

    first, second = halves(collection)
    found = []
    for name, keys in settings.items():
        of = values[name]
        tuned = float(np.mean([of[query] for query in first])) if first else 0.0
        held = np.array([of[query] for query in second] or [0.0])
        low, high = interval(held)
        found.append(Point(name, keys, tuned, float(held.mean()), low, high, took_ms[name]))
    return [msgspec.structs.replace(one, frontier=_is_worth_it(one, found)) for one in found]


def _is_worth_it(one: Point, others: Sequence[Point]) -> bool:
    """Whether nothing is at least as good and as quick, and better in one of the two."""
    return not any(
        other.tuned >= one.tuned
        and other.median_ms <= one.median_ms
        and (other.tuned > one.tuned or other.median_ms < one.median_ms)
        for other in others
    )


def chosen(found: Sequence[Point], most_ms: float | None = None) -> Point:
    """The best on the first half among those that are quick enough; raises SweepFault where none is."""
    quick = [one for one in found if most_ms is None or one.median_ms <= most_ms]
    if not quick:
        least = min(one.median_ms for one in found)
        raise SweepFault(f"no setting takes {most_ms:g} ms or less; the quickest takes {least:.1f} ms")
    return max(quick, key=lambda one: (one.tuned, -one.median_ms))


def table(found: Sequence[Point], best: Point, measure: str) -> Table:
    """For a terminal, the best first."""
    rows = Table(title=f"{measure}: ★ chosen, • on the frontier of quality and cost")
    for head in ("", "setting", "tuned on", "held out", "95 % interval", "median, ms"):
        rows.add_column(head, justify="left" if head in {"", "setting"} else "right")
    for one in sorted(found, key=lambda one: -one.tuned):
        mark = "★" if one.name == best.name else "•" if one.frontier else ""
        span = f"{one.low:.4f} … {one.high:.4f}"
        rows.add_row(mark, one.name, f"{one.tuned:.4f}", f"{one.held_out:.4f}", span, f"{one.median_ms:.1f}")
    return rows


def picture(found: Sequence[Point], best: Point, measure: str) -> str:
    """Quality against cost as SVG."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra

    figure = Figure(figsize=(8, 5))
    axes = figure.subplots()
    frontier = sorted((one for one in found if one.frontier), key=lambda one: one.median_ms)
    axes.plot([one.median_ms for one in frontier], [one.tuned for one in frontier], "-", color="#2a6")
    for one in found:
        axes.plot(
            [one.median_ms], [one.tuned], "*" if one.name == best.name else "o", color="#111" if one.frontier else "#aaa"
        )
        axes.annotate(one.name, (one.median_ms, one.tuned), fontsize=7, xytext=(4, 4), textcoords="offset points")
    axes.set_xlabel("median, ms")
    axes.set_ylabel(f"{measure}, tuned on")
    return svg(figure)
