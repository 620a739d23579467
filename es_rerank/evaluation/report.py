"""Runs and judgments → what is said of them: a table for people, JSON for programs, bounds for CI."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from es_rerank.evaluation.asking import Asked
from es_rerank.evaluation.collections import Collection
from es_rerank.evaluation.compare import Comparison, compare, corrected
from es_rerank.evaluation.measures import Values, values

_SHOWN = 5


class OneRun(msgspec.Struct, frozen=True):
    """One run: its values by measure and query, its times in milliseconds, how often each outcome was."""

    name: str
    values: Values
    median_ms: float
    p95_ms: float
    outcomes: dict[str, int]


class Against(msgspec.Struct, frozen=True):
    """A policy against raw Elasticsearch; ``corrected`` are the p's of the main measure over all policies (Holm)."""

    name: str
    comparisons: list[Comparison]
    corrected: float


class Report(msgspec.Struct, frozen=True):
    """Everything; the first run is raw Elasticsearch."""

    collection: str
    queries: dict[str, str]
    runs: list[OneRun]
    against: list[Against]

    def json(self) -> str:
        """All of it, for programs."""
        return msgspec.json.format(msgspec.json.encode(self)).decode()


def made(collection: Collection, asked: Sequence[Asked], names: Sequence[str]) -> Report:
    """Measure all runs and compare each with the first."""
    runs = [_run(one, values(one.run, collection.judgments, names)) for one in asked]
    raw = runs[0]
    compared = [[compare(name, raw.values[name], run.values[name]) for name in names] for run in runs[1:]]
    ps = corrected([one[0].p for one in compared])
    against = [Against(run.name, one, p) for run, one, p in zip(runs[1:], compared, ps, strict=True)]
    return Report(collection.name, {query.id: query.text for query in collection.queries}, runs, against)


def _run(asked: Asked, measured: Values) -> OneRun:
    took = sorted(asked.took_ms.values()) or [0.0]
    rare = took[min(len(took) - 1, round(0.95 * (len(took) - 1)))]
    return OneRun(asked.name, measured, statistics.median(took), rare, dict(asked.outcomes))


def failures(report: Report, bounds: Sequence[tuple[str, float | None]]) -> list[str]:
    """Every policy that is below a bound, in words; None: below raw Elasticsearch."""
    found = []
    for name, least in bounds:
        for one in report.against:
            for comparison in one.comparisons:
                bound = comparison.before if least is None else least
                if comparison.measure == name and comparison.after < bound:
                    found.append(f"{one.name}: {name} is {comparison.after:.4f}, below {bound:.4f}")
    return found


def table(report: Report) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = []
    for one in report.against:
        rows = Table(title=f"{one.name} against raw Elasticsearch · {report.collection}, {len(report.queries)} queries")
        for head in ("measure", "raw", one.name, "change", "95 % interval", "p", "wins / ties / losses"):
            rows.add_column(head, justify="left" if head == "measure" else "right")
        for row in one.comparisons:
            span = f"{row.low:+.4f} … {row.high:+.4f}"
            counts = f"{row.wins} / {row.ties} / {row.losses}"
            rows.add_row(
                row.measure, f"{row.before:.4f}", f"{row.after:.4f}", f"{row.change:+.4f}", span, f"{row.p:.4f}", counts
            )
        parts.append(rows)
        if len(report.against) > 1:
            parts.append(
                Text(f"p of {one.comparisons[0].measure}, corrected for {len(report.against)} policies: {one.corrected:.4f}")
            )
        parts.append(Text(_movers(report, one.comparisons[0])))
    for run in report.runs:
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in run.outcomes.items())
        parts.append(Text(f"{run.name}: median {run.median_ms:.1f} ms, p95 {run.p95_ms:.1f} ms · {outcomes}"))
    return Group(*parts)


def _movers(report: Report, comparison: Comparison) -> str:
    """The queries that moved most."""
    lines = [f"{comparison.measure}, the queries that moved most:"]
    gained = [entry for entry in comparison.moved if entry[1] > 0][:_SHOWN]
    lost = [entry for entry in comparison.moved if entry[1] < 0][-_SHOWN:]
    for query, change in [*gained, *lost]:
        lines.append(f"  {change:+.4f}  {query}  {report.queries.get(query, '')}")
    return "\n".join(lines) + "\n"
