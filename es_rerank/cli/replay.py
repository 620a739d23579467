"""``es-rerank experiment replay``: logged queries again, under the policies that are and under others."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from es_rerank.app.recorded import experiment_of, joined
from es_rerank.cli import options
from es_rerank.cli.asking import ALONE, PATIENT, RAW, Entry, asked, template_of
from es_rerank.cli.moments import moment
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings, load_settings
from es_rerank.errors import ConfigError
from es_rerank.evaluation.asking import Asked
from es_rerank.evaluation.replay import Logged, Replay, logged, replayed, table
from es_rerank.telemetry.logs import configure

_DEEP = 100
"""Hits asked for, so that the rank of what leaves the first page can be told."""


def replay(
    identity: Annotated[str, typer.Argument(metavar="ID", help="the experiment whose records are the log")],
    policy: Annotated[Path, typer.Option(help="folder of the policies that may come")],
    since: Annotated[str | None, typer.Option(help="searches since then: 7d, 12h, or a date")] = None,
    against: Annotated[
        str, typer.Option(help="policies (those of --config) or raw (Elasticsearch's own order)")
    ] = "policies",
    query: Annotated[
        str | None, typer.Option(help="search body with {{query}} in it, or @FILE [multi_match over the policies' fields]")
    ] = None,
    index: Annotated[str | None, typer.Option(help="the index, as clients name it [the one most searched]")] = None,
    most: Annotated[int, typer.Option(min=1, help="the most frequent queries, so many")] = 200,
    cutoff: Annotated[int, typer.Option(min=1, max=_DEEP, help="hits on the first page")] = 10,
    fail_above: Annotated[
        float, typer.Option(min=0, max=1, help="exit status 1 where a larger share of the clicks is lost")
    ] = 0.05,
    runs: Annotated[Path | None, typer.Option(help="folder that keeps what was asked; a later call goes on there")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="write everything as JSON")] = None,
    config: options.Config = None,
    upstream: options.Upstream = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
    scorer: options.Scorer = None,
    model: options.Model = None,
    scorer_urls: options.ScorerUrls = None,
    device: options.Device = None,
    precision: options.Precision = None,
) -> None:
    """Say which first pages would change under other policies, and which recorded clicks they would lose."""
    given = {name: value for name, value in locals().items() if name in Settings.model_fields}
    configure("error")
    settings = load_settings(**given)
    if against not in {"policies", RAW}:
        raise ConfigError("--against", "", f"{against!r} is neither", "policies or raw")
    load(policy)
    chosen, log, others = _log(settings, identity, moment(since, datetime.now(UTC)), index, most)
    over = ALONE | PATIENT
    lines = {"x-rerank-mode": "off"} if against == RAW else {}
    entries = [Entry("before", settings.config, over, lines), Entry("after", policy, over)]
    if runs is not None:
        runs.mkdir(parents=True, exist_ok=True)
    template = template_of(query, [settings.config, policy])
    before, after = asked(settings, [one.query for one in log], entries, chosen, template, size=_DEEP, runs=runs)
    found = replayed(log, before.run, after.run, cutoff)
    if as_json is not None:
        as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    _say(found, (before, after), chosen, others)
    if found.lost_share > fail_above:
        print(f"{found.lost_share:.1%} of the clicks would be lost, more than {fail_above:.1%}")
        raise typer.Exit(1)


def _log(
    settings: Settings, identity: str, since: str | None, index: str | None, most: int
) -> tuple[str, list[Logged], list[str]]:
    """The index that is asked, what was searched in it, and the other indices in words; raises ConfigError."""
    experiment = experiment_of(settings, identity)
    if experiment.exposures.query_text != "keep":
        problem = f"the words that were searched for are not recorded (`{experiment.exposures.query_text}`)"
        raise ConfigError(str(settings.config), "experiment.exposures.query_text", problem, "say `keep`, for new records")
    searches = joined(settings, experiment, since).searches
    counts = Counter(one.index for one in searches)
    if not counts:
        raise ConfigError(
            "experiment replay", "", f"nothing was recorded for `{identity}` then", "ask for an earlier --since"
        )
    chosen = index or counts.most_common(1)[0][0]
    if chosen not in counts:
        known = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
        raise ConfigError("--index", "", f"no search of {chosen!r} was recorded", f"there are: {known}")
    others = [f"{name} ({count})" for name, count in counts.most_common() if name != chosen]
    return chosen, logged([one for one in searches if one.index == chosen], most), others


def _say(found: Replay, runs: Sequence[Asked], chosen: str, others: Sequence[str]) -> None:
    """Print everything but the verdict."""
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table(found))
    for one in runs:
        print(f"{one.name}: " + ", ".join(f"{count} {outcome}" for outcome, count in one.outcomes.items()))
    if others:
        print(f"only {chosen} was asked; also searched: {', '.join(others)}")
