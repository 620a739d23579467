"""``es-rerank experiment …``: what experiments need, and what came of them. A command each."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from es_rerank.app import own
from es_rerank.app.recorded import experiment_of, joined
from es_rerank.cli import options
from es_rerank.cli.judgments import judgments
from es_rerank.cli.replay import replay
from es_rerank.cluster.templates import EVENTS, QUERIES, install
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings, load_settings
from es_rerank.core.experiment import CONTROL
from es_rerank.errors import ConfigError
from es_rerank.evaluation import experiment_page, experiment_report, outcomes, planning
from es_rerank.evaluation.experiment import analysed, by_unit

app = typer.Typer(no_args_is_help=True, help="Experiments on live traffic: what they need, and what came of them.")

app.command()(judgments)
app.command()(replay)

Identity = Annotated[str, typer.Argument(metavar="ID", help="the experiment, as its policy names it")]
Outcome = Annotated[str, typer.Option(help="the measure that is to be found better or worse")]


@app.command(name="install")
def install_indices(
    upstream: options.Upstream = None,
    config: options.Config = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Make the indices that the policies' experiments write to, with their mappings, and the one for events."""
    settings = load_settings(**locals())
    running = [policy.experiment for policy in load(settings.config) if policy.experiment is not None]
    indices = {experiment.exposures.index for experiment in running if experiment.exposures.index is not None}
    wanted = {**dict.fromkeys(sorted(indices), QUERIES), settings.events_index or "ubi_events": EVENTS}
    with contextlib.closing(own.cluster(settings)) as cluster:
        for index, properties in wanted.items():
            print(f"{index}: {install(cluster, index, properties)}")


@app.command()
def report(
    identity: Identity,
    html: Annotated[Path | None, typer.Option(help="write the report as one HTML file")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="write everything as JSON")] = None,
    planned_units: Annotated[
        int | None, typer.Option(min=2, help="units that were planned, of all variants together")
    ] = None,
    compare: Annotated[str, typer.Option(help="address of the compare page that queries link to")] = "",
    upstream: options.Upstream = None,
    config: options.Config = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Say what happened and how sure that is. Exit status 1 where nothing can be said, or a guard is worse."""
    settings = load_settings(**_given(locals()))
    experiment = experiment_of(settings, identity)
    found = analysed(identity, experiment.mode, joined(settings, experiment), planned_units)
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(experiment_report.table(found))
    if as_json is not None:
        import msgspec  # noqa: PLC0415  only here

        as_json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if html is not None:
        html.write_text(experiment_page.page(found, compare), encoding="utf-8")
    broken = not found.strata or found.strata[0].stopped or found.strata[0].alarms
    raise typer.Exit(1 if broken else 0)


@app.command()
def status(
    identity: Identity,
    upstream: options.Upstream = None,
    config: options.Config = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Say how much was recorded, and whether the assignment is sound; no measure is looked at."""
    settings = load_settings(**_given(locals()))
    experiment = experiment_of(settings, identity)
    found = analysed(identity, experiment.mode, joined(settings, experiment))
    for stratum in found.strata:
        print(f"stratum {stratum.name}: {stratum.searches} searches of {stratum.units} units")
        print(f"  {stratum.since} to {stratum.until}")
        print(f"  {stratum.stopped or f'assignment as it should be (p = {stratum.mismatch:.3f})'}")
        for variant in stratum.variants:
            print(
                f"  {variant.name}: {variant.searches} searches of {variant.units} units, {variant.reranked:.0%} as assigned"
            )
    if not found.strata:
        print(f"{identity}: nothing was recorded yet")


@app.command()
def plan(
    identity: Identity,
    detectable: Annotated[float, typer.Option(help="the smallest change that has to be found, 0.01 for one point")],
    outcome: Outcome = "CTR@10",
    power: Annotated[float, typer.Option(min=0.5, max=0.999, help="how often it has to be found where it is there")] = 0.8,
    rate: Annotated[
        float | None, typer.Option(min=0.0001, max=0.9999, help="the measure's value, where nothing was recorded")
    ] = None,
    searches_per_unit: Annotated[float, typer.Option(min=1, help="with --rate: how often a unit searches")] = 1.0,
    units_per_day: Annotated[float | None, typer.Option(min=1, help="new units a day, of all variants together")] = None,
    upstream: options.Upstream = None,
    config: options.Config = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Say how many units and days are needed, from what control's searches were so far, or from a rate."""
    settings = load_settings(**_given(locals()))
    if not detectable > 0:
        raise ConfigError("--detectable", "", f"{detectable} is not more than 0", "give the smallest change that matters")
    if rate is not None:
        variance, value, often = planning.of_rate(rate, searches_per_unit), rate, searches_per_unit
    else:
        recorded = joined(settings, experiment_of(settings, identity))
        control = [one for one in recorded.searches if one.variant == CONTROL]
        if len({one.unit for one in control}) < 2:  # noqa: PLR2004  a spread needs two
            raise ConfigError("experiment plan", "", f"control of `{identity}` has no searches yet", "give --rate")
        measured = by_unit(_outcome(outcome), control)
        variance, value, often = planning.of_records(measured), measured.value, len(control) / measured.units
    units = planning.units_needed(variance, detectable, power)
    print(f"{outcome} is {value:.4f}; a change of {detectable:g} is found in {power:.0%} of experiments with")
    print(f"  {units} units in each variant, about {round(units * often)} searches")
    if units_per_day is not None:
        print(f"  {2 * units / units_per_day:.1f} days at {units_per_day:g} new units a day, halved between two variants")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in Settings.model_fields}


def _outcome(name: str) -> outcomes.Outcome:
    try:
        return outcomes.named(name)
    except KeyError as exc:
        known = ", ".join(one.name for one in outcomes.OUTCOMES)
        raise ConfigError("--outcome", "", f"there is no measure {name!r}", f"one of {known}") from exc
