"""``es-rerank evaluate``: raw against reranked on judged queries, through the proxy, on a live index."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from es_rerank.cli import options
from es_rerank.cli.asking import ALONE, PATIENT, RAW, Entry, asked, template_of
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings, load_settings
from es_rerank.errors import ConfigError, EsRerankError
from es_rerank.evaluation import collections, measures
from es_rerank.evaluation.report import Report, failures, made, table
from es_rerank.telemetry.logs import configure


def evaluate(
    collection: Annotated[Path, typer.Argument(help="judgments: a BEIR folder, TREC qrels, a _rank_eval body, or CSV")],
    index: Annotated[str, typer.Argument(help="the index, as clients name it")],
    topics: Annotated[Path | None, typer.Option(help="the queries, where the judgments are TREC qrels")] = None,
    query: Annotated[
        str | None, typer.Option(help="search body with {{query}} in it, or @FILE [multi_match over the policy's fields]")
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="folder of policies; several are compared [plugin_config]")
    ] = None,
    measure: Annotated[list[str] | None, typer.Option(help="as ir-measures names it; the first is the main one")] = None,
    size: Annotated[int, typer.Option(min=1, max=10_000, help="hits asked for")] = 100,
    as_served: Annotated[
        bool, typer.Option(help="keep the policies' time limits; without it the model may take a minute")
    ] = False,
    fail_below: Annotated[
        list[str] | None, typer.Option(help="MEASURE=NUMBER or MEASURE=raw: exit status 1 where a policy is below")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="folder that keeps TREC runs; a later call goes on there")] = None,
    report: Annotated[Path | None, typer.Option(help="write everything to this JSON file, too")] = None,
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
    """Ask every judged query raw and reranked, and say how much better, and how sure."""
    given = {name: value for name, value in locals().items() if name in Settings.model_fields and name != "config"}
    configure("error")
    settings = load_settings(**given)
    names = measures.parsed(measure or measures.DEFAULT)
    wanted = [_bound(one, names) for one in fail_below or []]
    judged = collections.load(collection, topics)
    folders = _named(config or [settings.config])
    template = template_of(query, list(folders.values()))
    if runs is not None:
        _same(runs, {"index": index, "query": template, "size": size, "as_served": as_served}, folders)
    over = ALONE if as_served else ALONE | PATIENT
    entries = [Entry(RAW, next(iter(folders.values())), over, {"x-rerank-mode": "off"})]
    entries += [Entry(name, folder, over) for name, folder in folders.items()]
    found = made(judged, asked(settings, judged.queries, entries, index, template, size=size, runs=runs), names)
    if report is not None:
        report.write_text(found.json() + "\n", encoding="utf-8")
    raise typer.Exit(_said(found, wanted))


def _said(found: Report, wanted: list[tuple[str, float | None]]) -> int:
    """Print everything; the exit status."""
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table(found))
    broken = failures(found, wanted)
    for line in broken:
        print(line)
    return 1 if broken else 0


def _named(folders: list[Path]) -> dict[str, Path]:
    """Folders by their names; raises ConfigError for two of one name."""
    found: dict[str, Path] = {}
    for folder in folders:
        name = folder.resolve().name
        if name in found or name == RAW:
            raise ConfigError("--config", "", f"two runs would be called {name!r}", "name the folders differently")
        found[name] = folder
    return found


def _same(runs: Path, how: dict[str, Any], folders: dict[str, Path]) -> None:
    """Runs of one folder are of one question; raises ConfigError where they were of another."""
    runs.mkdir(parents=True, exist_ok=True)
    policies = {name: [repr(policy) for policy in load(folder)] for name, folder in folders.items()}
    said = {**how, "policies": {name: hashlib.sha256(repr(of).encode()).hexdigest()[:12] for name, of in policies.items()}}
    kept = runs / "runs.json"
    if not kept.exists():
        kept.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        return
    before = json.loads(kept.read_text(encoding="utf-8"))
    differ = [name for name in how if before.get(name) != said[name]]
    differ += [name for name, of in said["policies"].items() if before["policies"].get(name, of) != of]
    if differ:
        raise ConfigError(
            str(kept), "", f"these runs were made with another {', '.join(differ)}", "choose another --runs folder"
        )
    before["policies"] |= said["policies"]
    kept.write_text(json.dumps(before, indent=1) + "\n", encoding="utf-8")


def _bound(given: str, names: list[str]) -> tuple[str, float | None]:
    """``MEASURE=NUMBER`` or ``MEASURE=raw`` (None); raises ConfigError."""
    name, _, value = given.rpartition("=")
    remedy = f"write one of {', '.join(names)}, then = and a number or raw"
    try:
        return measures.parsed([name])[0], None if value == RAW else float(value)
    except (ValueError, EsRerankError) as exc:
        raise ConfigError("--fail-below", "", f"{given!r} cannot be read", remedy) from exc
