"""``es-rerank load``: the documents of a judged collection into an index."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from es_rerank.app import own
from es_rerank.cli import options
from es_rerank.cluster import loading
from es_rerank.config.settings import load_settings
from es_rerank.evaluation import collections


def load(
    folder: Annotated[Path, typer.Argument(help="a collection in BEIR's layout, with corpus.jsonl in it, packed or not")],
    index: Annotated[str, typer.Argument(help="the index; made with one shard where there is none")],
    upstream: options.Upstream = None,
    upstream_ca: options.Ca = None,
    upstream_fingerprint: options.Fingerprint = None,
    upstream_insecure: options.Insecure = None,
    upstream_cert: options.Cert = None,
    upstream_key: options.Key = None,
) -> None:
    """Load a collection; run again, it goes on where it was broken off."""
    settings = load_settings(**{name: value for name, value in locals().items() if name not in {"folder", "index"}})
    documents = list(collections.documents(folder))
    with contextlib.closing(own.cluster(settings)) as cluster:
        made = loading.make(cluster, index)
        written = 0
        for batch in track(loading.fill(cluster, index, documents), "loading", total=-(-len(documents) // 500)):
            written += batch
    print(f"{index}: {written} documents{'' if made else ' (the index was there already; what was in it stays)'}")
