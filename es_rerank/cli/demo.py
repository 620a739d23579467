"""``es-rerank demo``: the main job on a small bilingual collection, searched with the unmodified official client.

Prints first-stage and reranked order side by side. At a terminal it stays up until Ctrl-C. The index that it makes is
its own, and goes when it ends.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from elasticsearch import ApiError, Elasticsearch, TransportError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from es_rerank.app.background import Running, running
from es_rerank.app.build import Application
from es_rerank.app.serve import listener
from es_rerank.cli.embedded_engine import embedded_engine
from es_rerank.cli.words import words
from es_rerank.config.settings import Settings, load_settings
from es_rerank.errors import ConfigError, EsRerankError
from es_rerank.telemetry.logs import configure
from es_rerank.upstream.credentials import authorization

INDEX = "es-rerank-demo"
MAPPING = {
    "properties": {
        "topic": {"type": "keyword"},
        "title": {"type": "text"},
        "text": {"type": "text"},
        "embedding": {"type": "dense_vector", "dims": 384, "index": True, "similarity": "cosine"},
    }
}


def demo(
    scorer: Annotated[str, typer.Option(help="embedded, engine, flagembedding or fake")] = "embedded",
    engine: Annotated[str, typer.Option(help="embedded, or elasticsearch: the one at ES_RERANK_UPSTREAM")] = "embedded",
) -> None:
    """Show first-stage and reranked order side by side, on an engine and a model that need no set-up."""
    if engine not in {"embedded", "elasticsearch"}:
        raise ConfigError("--engine", "", f"there is no engine {engine!r}", "use embedded or elasticsearch")
    said, console = words(os.environ), Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    configure("error")
    collection = json.loads((resources.files("es_rerank.cli") / "data/demo.json").read_text(encoding="utf-8"))
    settings = load_settings(scorer=scorer)
    told = {"engine": engine, "scorer": scorer, "count": len(collection["documents"])}
    console.print(said["starting"].format(**told))
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(embedded_engine()) if engine == "embedded" else settings.upstream
        settings = load_settings(scorer=scorer, upstream=url, config=stack.enter_context(_policies()))
        direct = stack.enter_context(client_of(url, settings))
        stack.callback(remove, direct)
        try:
            fill(direct, collection["documents"])
        except (TransportError, ApiError) as exc:
            raise EsRerankError(said["absent"].format(url=url, fault=exc)) from exc
        sockets = any_listener(settings.listen), any_listener(settings.api)
        proxy = stack.enter_context(running(Application(settings), *sockets))
        proxied = stack.enter_context(client_of(proxy.url, settings))
        for search in collection["searches"]:
            _show(console, said, search, direct, proxied)
        if sys.stdin.isatty() and sys.stdout.isatty():
            _stay(console, said, proxy)


@contextlib.contextmanager
def _policies() -> Iterator[Path]:
    """A folder with the demo's own policy, as shipped in ``plugin_config``."""
    with tempfile.TemporaryDirectory() as folder:
        shipped = resources.files("es_rerank.cli") / "data"
        for name in ("_defaults.yaml", "demo.yaml"):
            (Path(folder) / name).write_text((shipped / name).read_text(encoding="utf-8"), encoding="utf-8")
        yield Path(folder)


def client_of(url: str, settings: Settings) -> Elasticsearch:
    """The official client, as anybody would make it."""
    headers = {name.decode(): value.decode() for name, value in authorization(settings)}
    verify: dict[str, Any] = {}
    if url.startswith("https"):
        verify = {"ca_certs": str(settings.upstream_ca)} if settings.upstream_ca else {}
        verify |= {"verify_certs": False, "ssl_show_warn": False} if settings.upstream_insecure else {}
        verify |= {"ssl_assert_fingerprint": settings.upstream_fingerprint} if settings.upstream_fingerprint else {}
    return Elasticsearch(url, headers=headers, request_timeout=60, **verify)


def fill(client: Elasticsearch, documents: list[dict[str, Any]]) -> None:
    """Make the demo's index anew."""
    remove(client)
    client.indices.create(index=INDEX, mappings=MAPPING, settings={"number_of_shards": 1, "number_of_replicas": 0})
    operations: list[dict[str, Any]] = []
    for document in documents:
        operations += [{"index": {"_id": document["id"]}}, {key: document[key] for key in MAPPING["properties"]}]
    client.bulk(index=INDEX, operations=operations, refresh=True)


def remove(client: Elasticsearch) -> None:
    """Take the demo's index away, where it is there."""
    with contextlib.suppress(TransportError, ApiError):
        client.options(ignore_status=404).indices.delete(index=INDEX)


def any_listener(place: str) -> socket.socket:
    """The usual place, or any free port where that is taken."""
    try:
        return listener(place, "")
    except ConfigError:
        return listener(f"{place.rpartition(':')[0]}:0", "")


def request_of(search: dict[str, Any]) -> dict[str, Any]:
    """The body of one search, as an application would send it."""
    topic = {"term": {"topic": search["topic"]}}
    match = {"multi_match": {"query": search["query"], "fields": ["title", "text"]}}
    query = {"bool": {"must": [match], "filter": [topic]}}
    vector = search["embedding"]
    knn = {"field": "embedding", "query_vector": vector, "k": 10, "num_candidates": 20, "filter": topic}
    parts = {"bm25": {"query": query}, "knn": {"knn": knn}, "hybrid": {"query": query, "knn": knn}}
    return {**parts[search["kind"]], "size": 10, "source": ["title"]}


def _show(
    console: Console, said: dict[str, str], search: dict[str, Any], direct: Elasticsearch, proxied: Elasticsearch
) -> None:
    """One search, asked twice with the same client and the same body, and both answers."""
    begun = time.perf_counter()
    before = direct.search(index=INDEX, **request_of(search))
    between = time.perf_counter()
    spoken = {"X-Rerank-Query": quote(search["query"])} if search["kind"] == "knn" else {}
    after = proxied.options(headers=spoken).search(index=INDEX, **request_of(search))
    ended = time.perf_counter()
    console.print(f"\n[bold]{search['query']}[/bold]  · {said[search['kind']]}")
    console.print(_table(said, before["hits"]["hits"], after["hits"]["hits"]))
    header = after.meta.headers.get("x-rerank", "")
    times = {"direct": (between - begun) * 1000, "proxied": (ended - between) * 1000}
    console.print(f"[bold green]★[/bold green] {said['best']}: {_title(after['hits']['hits'][0])}")
    console.print(f"[dim]X-Rerank: {said['took'].format(header=header, **times)}[/dim]")


def _table(said: dict[str, str], before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Table:
    places = {hit["_id"]: place for place, hit in enumerate(before)}
    best = max((hit["_score"] for hit in after), default=1.0)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("#", said["before"], "_score", "│", said["after"], said["moved"], "logit", "_score", ""):
        right = name in {"#", "_score", "logit"}
        most = 26 if name in {said["before"], said["after"]} else None
        table.add_column(name, justify="right" if right else "left", no_wrap=True, overflow="ellipsis", max_width=most)
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        star = "[bold green]★[/bold green] " if place == 0 else ""
        score = new["_score"]
        bar = "█" * max(round(score / best * 10), 1)
        cells = [star + _title(new), _movement(places.get(new["_id"]), place), f"{_logit(score):.2f}", f"{score:.3f}"]
        table.add_row(str(place + 1), _title(old), f"{old['_score']:.3f}", "│", *cells, f"[cyan]{bar}[/cyan]")
    return table


def _title(hit: dict[str, Any]) -> str:
    return str(hit["_source"]["title"])


def _movement(old: int | None, new: int) -> str:
    if old is None:
        return "[green]▲[/green]"
    if old == new:
        return "="
    return f"[green]▲{old - new}[/green]" if old > new else f"[red]▼{new - old}[/red]"


def _logit(score: float) -> float:
    """Undo Elastic's formula: a score of at least 1 is the logit plus 1, a smaller one its exponential."""
    return score - 1 if score >= 1 else math.log(max(score, 1e-30))


def _stay(console: Console, said: dict[str, str], proxy: Running) -> None:
    console.print(f"\n{said['up']}")
    for name, place in (("proxy", proxy.url), ("api", proxy.api), ("compare", f"{proxy.api}/compare")):
        console.print(f"  {said[name]}: {place}")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    console.print(said["bye"])
