"""``es-rerank init``: proposes a policy file for an index, with its reasons, and shows what it would do.

Writes only files that are not there yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from es_rerank.advice.proposal import Proposal, candidates, propose
from es_rerank.app import own
from es_rerank.app.build import Application
from es_rerank.cli import options
from es_rerank.config.settings import DEFAULT_WINDOWS, Settings, load_settings
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.resolve import Resolved
from es_rerank.errors import ConfigError, EsRerankError
from es_rerank.search import route
from es_rerank.search.passage import field_texts
from es_rerank.service.served import Served
from es_rerank.telemetry.logs import configure

SAMPLED = 100
SHOWN = 5

_PATIENCE_S = 30.0
"""How long a remote scorer is waited for."""


def init(
    index: Annotated[str, typer.Option(help="the index or alias that clients search")],
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
    query: Annotated[list[str] | None, typer.Option(help="a query to show; may be given several times")] = None,
) -> None:
    """Propose a policy file from mapping and samples, with reasons, and show raw against reranked for three queries."""
    given = {key: value for key, value in locals().items() if key not in {"index", "query"}}
    settings = load_settings(**given)
    configure("error")
    console = Console(highlight=False)
    with contextlib.closing(own.cluster(settings)) as cluster:
        fields = cluster.text_fields(index)
        body = {"query": {"function_score": {"query": {"match_all": {}}, "random_score": {}}}, "size": SAMPLED}
        hits = cluster.search(index, body)["hits"]["hits"]
    sources = [hit.get("_source", {}) for hit in hits]
    samples = {name: [text for text in field_texts(sources, name) if text] for name in fields}
    ranked = candidates(fields, samples, max(len(sources), 1))
    if not ranked:
        remedy = "index some documents with text fields first, or write a policy by hand (docs/configuration.md)"
        raise ConfigError(index, "", f"{len(sources)} sampled documents, and no text field with text in them", remedy)
    proposal = propose(index, ranked, DEFAULT_WINDOWS[settings.scorer])
    place = _written(settings.config, index, proposal)
    console.print(proposal.text, markup=False)
    console.print(f"written to {place}\n")
    queries = query or _queries(samples[proposal.fields[0]])
    asyncio.run(_shown(console, settings, index, proposal, queries[:3]))


def _written(folder: Path, index: str, proposal: Proposal) -> Path:
    """Write the policy, and the shipped files into a new folder; raises ConfigError where the file is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = resources.files("es_rerank.cli") / "data"
    if not any(folder.iterdir()):
        for name in ("_defaults.yaml", "demo.yaml"):
            (folder / name).write_text((shipped / name).read_text(encoding="utf-8"), encoding="utf-8")
    place = folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', index).strip('-.') or 'index'}.yaml"
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(proposal.text)
    except FileExistsError as exc:
        remedy = "take it away, or compare it with this proposal:\n\n" + proposal.text
        raise ConfigError(str(place), "", "there is a policy of this name already; nothing was written", remedy) from exc
    return place


def _queries(texts: Sequence[str]) -> list[str]:
    """Three short texts that look like queries: the first words of three documents."""
    found = []
    for text in texts:
        begin = " ".join(text.split()[:6])[:40]
        if begin and begin not in found:
            found.append(begin)
    return found[:: max(len(found) // 3, 1)][:3]


async def _shown(console: Console, settings: Settings, index: str, proposal: Proposal, queries: Sequence[str]) -> None:
    """Ask through the service, without a listener."""
    application = Application(settings)
    try:
        console.print(f"loading the scorer ({settings.scorer}) …")
        async with asyncio.timeout(_PATIENCE_S if settings.scorer == "remote" else None):
            await application.warm_up()
    except (EsRerankError, TimeoutError) as fault:
        why = str(fault) or application.readiness.fault
        console.print(f"no comparison, since there is no model: {why}", markup=False)
        return
    try:
        target = f"/{route.segment(index)}/_search".encode()
        found = route.parse("POST", target)
        covered = application.service.covers(found) if found is not None else None
        if found is None or not isinstance(covered, Resolved):
            console.print(f"no comparison, since no policy covers {index}", markup=False)
            return
        lines = ((b"content-type", b"application/json"), *application.own_authorization)
        for query in queries:
            search = {"query": {"multi_match": {"query": query, "fields": proposal.fields}}, "size": SHOWN}
            original = UpstreamRequest("POST", target, lines, msgspec.json.encode(search), repeatable=True)
            served = await application.service.search(original, (), found, covered)
            _table(console, query, served, proposal.fields[0])
    finally:
        await application.close()


def _table(console: Console, query: str, served: Served, field: str) -> None:
    console.print(f"\n[bold]{query}[/bold]  [dim]X-Rerank: {served.disposition.header()}[/dim]")
    stage = served.stage
    if stage is None:
        return
    titles = [_title(stage.raw(hit, "_source"), field) for hit in stage.hits]
    table = Table("#", "raw", "reranked", "moved", box=SIMPLE_HEAD, show_edge=False)
    for place, ranked in enumerate(served.order[:SHOWN]):
        moved = ranked.place - place
        arrow = "=" if not moved else f"▲{moved}" if moved > 0 else f"▼{-moved}"
        table.add_row(str(place + 1), titles[place], titles[ranked.place], arrow)
    console.print(table)


def _title(source: Any, field: str) -> str:  # noqa: ANN401  JSON
    text = next(iter(field_texts([source], field)), "")
    return " ".join(text.split())[:44]
