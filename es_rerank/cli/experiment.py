"""``es-rerank experiment …``: what experiments need, and what came of them. A command each."""

from __future__ import annotations

import contextlib

import typer

from es_rerank.app import own
from es_rerank.cli import options
from es_rerank.cluster.templates import EVENTS, QUERIES, install
from es_rerank.config.loader import load
from es_rerank.config.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Experiments on live traffic: install what they write to.")
EVENTS_INDEX = "ubi_events"


@app.callback()
def _commands() -> None:
    """Keep each command one of its own, however many there are."""


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
    wanted = {**dict.fromkeys(sorted(indices), QUERIES), EVENTS_INDEX: EVENTS}
    with contextlib.closing(own.cluster(settings)) as cluster:
        for index, properties in wanted.items():
            print(f"{index}: {install(cluster, index, properties)}")
