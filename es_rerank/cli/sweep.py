"""``es-rerank sweep``: windows, fusions, fields and activations of one policy, by quality and cost."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from es_rerank.cli import options
from es_rerank.cli.asking import ALONE, PATIENT, Entry, asked, template_of
from es_rerank.config import yaml_text
from es_rerank.config.loader import files
from es_rerank.config.settings import Settings, load_settings
from es_rerank.errors import ConfigError
from es_rerank.evaluation import collections, measures
from es_rerank.evaluation.sweep import Point, chosen, grid, picture, points, table
from es_rerank.telemetry.logs import configure


def sweep(
    collection: Annotated[Path, typer.Argument(help="judgments: a BEIR folder, TREC qrels, a _rank_eval body, or CSV")],
    index: Annotated[str, typer.Argument(help="the index, as clients name it")],
    topics: Annotated[Path | None, typer.Option(help="the queries, where the judgments are TREC qrels")] = None,
    query: Annotated[str | None, typer.Option(help="search body with {{query}} in it, or @FILE")] = None,
    window: Annotated[
        list[int] | None, typer.Option(min=1, max=10_000, help="a rank window; several, for all of them")
    ] = None,
    fusion: Annotated[list[str] | None, typer.Option(help="replace, weighted:0.5, rrf or rrf:60; several")] = None,
    fields: Annotated[list[str] | None, typer.Option(help="fields to read, joined by +; several")] = None,
    activation: Annotated[list[str] | None, typer.Option(help="elastic or sigmoid; several")] = None,
    measure: Annotated[str, typer.Option(help="what is to be best, as ir-measures names it")] = "nDCG@10",
    most_ms: Annotated[float | None, typer.Option(min=0.1, help="the longest median that may be chosen")] = None,
    write: Annotated[Path | None, typer.Option(help="the chosen policy goes into this file")] = None,
    svg: Annotated[Path | None, typer.Option(help="quality against cost as a picture")] = None,
    runs: Annotated[Path | None, typer.Option(help="folder that keeps what was asked; a later call goes on there")] = None,
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
    """Try every combination; choose on one half of the queries, tell on the other."""
    given = {name: value for name, value in locals().items() if name in Settings.model_fields}
    configure("error")
    settings = load_settings(**given)
    (name,) = measures.parsed([measure])
    judged = collections.load(collection, topics)
    tried = grid(window or [], fusion or [], fields or [], activation or [])
    entries = [Entry(one, settings.config, ALONE | PATIENT | keys) for one, keys in tried.items()]
    if runs is not None:
        runs.mkdir(parents=True, exist_ok=True)
    template = template_of(query, [settings.config])
    made = asked(settings, judged.queries, entries, index, template, size=100, runs=runs)
    values = {one.name: measures.values(one.run, judged.judgments, [name])[name] for one in made}
    took = {one.name: statistics.median(one.took_ms.values()) for one in made}
    found = points(tried, values, took, judged)
    best = chosen(found, most_ms)
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table(found, best, name))
    if svg is not None:
        svg.write_text(picture(found, best, name), encoding="utf-8")
    if write is not None:
        write.write_text(_policy(settings.config, best), encoding="utf-8")
        print(f"{best.name}: written to {write}")


def _policy(folder: Path, best: Point) -> str:
    """The folder's one policy with the chosen keys in it; raises ConfigError where there are several."""
    own = files(folder)
    if len(own) != 1:
        remedy = "sweep a folder that holds nothing but the policy in question"
        raise ConfigError(str(folder), "", f"it holds {len(own)} policies, and one file is to be written", remedy)
    values, _ = yaml_text.read(own[0].read_text(encoding="utf-8"), str(own[0]))
    for key, value in best.keys.items():
        below = values.get(key)
        whole = {**below, **value} if isinstance(value, dict) and isinstance(below, dict) else value
        values[key] = {part: one for part, one in whole.items() if one is not None} if isinstance(whole, dict) else whole
    return yaml_text.write(values)
