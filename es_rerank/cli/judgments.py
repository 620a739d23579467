"""``es-rerank experiment judgments``: recorded clicks as judgments, for ``evaluate`` and its like."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from es_rerank.app.recorded import experiment_of, joined
from es_rerank.cli import options
from es_rerank.cli.moments import moment
from es_rerank.config.settings import Settings, load_settings
from es_rerank.errors import ConfigError
from es_rerank.evaluation.clicks import Model, columns, judged


def judgments(
    identity: Annotated[str, typer.Argument(metavar="ID", help="the experiment, as its policy names it")],
    file: Annotated[Path, typer.Argument(help="the table to write, .csv")],
    how: Annotated[Model, typer.Option("--model", help="coec: clicks over expected clicks; pbm: position-based")] = "pbm",
    least: Annotated[int, typer.Option(min=1, help="leave out hits that were shown less often")] = 10,
    since: Annotated[str | None, typer.Option(help="searches since then: 7d, 12h, or a date")] = None,
    config: options.Config = None,
    upstream: options.Upstream = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Grade what people were shown by what they clicked, with the rank taken out."""
    settings = load_settings(**{name: value for name, value in locals().items() if name in Settings.model_fields})
    if file.suffix != ".csv":
        raise ConfigError("experiment judgments", "", f"{file} is no .csv", "name it so, that evaluate knows what it is")
    experiment = experiment_of(settings, identity)
    if experiment.exposures.query_text == "drop":
        remedy = "say `query_text: keep` and wait for new records"
        raise ConfigError(str(settings.config), "experiment.exposures.query_text", "what was asked is not recorded", remedy)
    found = judged(joined(settings, experiment, moment(since, datetime.now(UTC))).searches, how, least)
    if not found:
        problem = f"no query of `{identity}` was clicked with hits that were shown {least} times"
        raise ConfigError("experiment judgments", "", problem, "wait for more clicks, or lower --least")
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(columns(found))
    queries, grades = {one.query for one in found}, [sum(one.grade == grade for one in found) for grade in range(4)]
    print(f"{file}: {len(found)} judgments of {len(queries)} queries; grades 0 to 3: {', '.join(map(str, grades))}")
