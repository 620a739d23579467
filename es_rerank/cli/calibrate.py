"""``es-rerank calibrate``: from judgments to a ``min_score``, or a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from es_rerank.cli import options
from es_rerank.cli.asking import ALONE, PATIENT, Entry, asked, template_of
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings, load_settings
from es_rerank.core.reasons import MEANINGS, Passthrough
from es_rerank.core.resolve import resolve
from es_rerank.errors import ConfigError
from es_rerank.evaluation import collections, measures
from es_rerank.evaluation.calibrate import calibrate as found_by
from es_rerank.telemetry.logs import configure

_OVER: dict[str, Any] = ALONE | PATIENT | {"min_score": None, "fusion": {"method": "replace"}}


def calibrate(
    collection: Annotated[Path, typer.Argument(help="judgments: a BEIR folder, TREC qrels, a _rank_eval body, or CSV")],
    index: Annotated[str, typer.Argument(help="the index, as clients name it")],
    topics: Annotated[Path | None, typer.Option(help="the queries, where the judgments are TREC qrels")] = None,
    query: Annotated[str | None, typer.Option(help="search body with {{query}} in it, or @FILE")] = None,
    keep: Annotated[float, typer.Option(min=0.5, max=0.999, help="share of the relevant hits that must not be lost")] = 0.95,
    relevant: Annotated[int, typer.Option(min=1, help="the least grade that counts as relevant")] = 1,
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
    """Find the `min_score` that keeps nearly all relevant hits. Exit status 1 where the scores do not separate them."""
    given = {name: value for name, value in locals().items() if name in Settings.model_fields}
    configure("error")
    settings = load_settings(**given)
    measures.parsed(["nDCG@10"])  # tells early which packages are missing
    judged = collections.load(collection, topics)
    covered = resolve(index, load(settings.config), datetime.now(UTC))
    if isinstance(covered, Passthrough):
        raise ConfigError(index, "", MEANINGS[covered.reason], f"write a policy for it in {settings.config}")
    entry = Entry("calibrate", settings.config, _OVER)
    template = template_of(query, [settings.config])
    (run,) = asked(settings, judged.queries, [entry], index, template, size=covered.lead.rank_window_size)
    scores: dict[str, list[float]] = {}
    grades: dict[str, list[int]] = {}
    for name, documents in run.run.items():
        of = judged.judgments[name]
        pairs = [(score, of[hit]) for hit, score in zip(documents, run.scores[name], strict=True) if hit in of]
        scores[name], grades[name] = [score for score, _ in pairs], [grade for _, grade in pairs]
    found = found_by(scores, grades, keep=keep, relevant=relevant)
    print(f"{found.relevant} relevant and {found.irrelevant} irrelevant judged hits of {len(judged.queries)} queries")
    print(f"area under the curve {found.area:.3f} [{found.area_low:.3f}, {found.area_high:.3f}]")
    if found.refused:
        print(f"no min_score: {found.refused}")
        raise typer.Exit(1)
    print(f"min_score: {found.min_score:.4g}   # 95 % interval {found.low:.4g} to {found.high:.4g}")
    print(f"keeps {found.kept:.1%} of the relevant judged hits, drops {found.dropped:.1%} of the others")
