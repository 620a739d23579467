"""``es-rerank capacity``: from traffic and a measured rate to replicas, times and cost."""

from __future__ import annotations

import math
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from es_rerank.advice.capacity import Device, Fleet, Traffic, fleet, smallest
from es_rerank.errors import ConfigError

_AROUND = (0.75, 1.0, 1.25, 1.5, 2.0)


def capacity(
    searches_per_s: Annotated[float, typer.Option(min=0.001, max=10_000_000, help="reranked searches a second at the peak")],
    window: Annotated[float, typer.Option(min=1, max=10_000, help="hits of a search that are read, on average")],
    tokens: Annotated[float, typer.Option(min=1, max=100_000, help="tokens of a pair, query included, on average")],
    tokens_per_s: Annotated[
        float | None, typer.Option(min=1, help="what one replica reads in a second, as measured at that length")
    ] = None,
    pairs_per_s: Annotated[
        float | None, typer.Option(min=0.01, help="the same in pairs of that length: what /readyz and doctor say")
    ] = None,
    budget_ms: Annotated[float, typer.Option(min=1, help="the policy's timeout_ms")] = 1000,
    late: Annotated[float, typer.Option(min=0.00001, max=0.5, help="share that may miss it")] = 0.01,
    busy: Annotated[float, typer.Option(min=0.05, max=0.99, help="how busy replicas may be; the rest is for peaks")] = 0.8,
    spread: Annotated[float, typer.Option(min=0, max=1, help="standard deviation of a search's work over its mean")] = 0.3,
    fixed_ms: Annotated[float, typer.Option(min=0, help="what a search costs beside its tokens")] = 2.0,
    cost_per_hour: Annotated[float, typer.Option(min=0, help="what one replica costs an hour")] = 0.0,
    replicas: Annotated[int | None, typer.Option(min=1, help="look at so many instead of the smallest number")] = None,
) -> None:
    """Say how many replicas of the model a traffic needs. Exit status 1 where no number is enough."""
    if (tokens_per_s is None) == (pairs_per_s is None):
        raise ConfigError("capacity", "", "name one rate", "--tokens-per-s, or --pairs-per-s of pairs of that length")
    rate = tokens_per_s if tokens_per_s is not None else (pairs_per_s or 0.0) * tokens
    traffic, device = Traffic(searches_per_s, window, tokens, spread), Device(rate, cost_per_hour, fixed_ms)
    service_ms = 1000 * window * tokens / rate
    per_search = f"one search is {window * tokens:.0f} tokens, {service_ms:.1f} ms of one replica"
    print(f"{per_search}; {searches_per_s:g} a second")
    if replicas is not None:
        counts, chosen = [replicas], fleet(traffic, device, replicas, budget_ms)
    else:
        best = smallest(traffic, device, budget_ms, late, busy)
        if best is None:
            print(f"no number of replicas keeps {1 - late:.2%} within {budget_ms:g} ms:")
            print("narrow the window, shorten the passages, or take a quicker device")
            raise typer.Exit(1)
        chosen = best
        counts = sorted({max(1, math.ceil(best.replicas * part)) for part in _AROUND})
    rows = [fleet(traffic, device, count, budget_ms) for count in counts]
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(_table(rows, chosen.replicas))
    if replicas is not None and chosen.late > late:
        print(f"{chosen.late:.2%} would miss {budget_ms:g} ms, more than {late:.2%}")
        raise typer.Exit(1)


def _table(rows: list[Fleet], chosen: int) -> Table:
    """One row for each number of replicas."""
    priced = any(one.cost_per_million for one in rows)
    found = Table()
    for head in ("replicas", "busy", "p50 ms", "p95 ms", "p99 ms", "late", *(["cost of a million"] if priced else [])):
        found.add_column(head, justify="right")
    for one in rows:
        star = "★ " if one.replicas == chosen else ""
        times = [f"{ms:.1f}" if math.isfinite(ms) else "∞" for ms in (one.p50_ms, one.p95_ms, one.p99_ms)]
        cost = [f"{one.cost_per_million:.2f}"] if priced else []
        found.add_row(f"{star}{one.replicas}", f"{one.utilisation:.0%}", *times, f"{one.late:.3%}", *cost)
    return found
