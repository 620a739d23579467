"""Documents into an index, in bulk: what is there already stays, so a load that was broken off goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.errors import UpstreamError

_BATCH = 500
_THERE = frozenset({200, 201, 409})

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}


def make(cluster: Cluster, index: str, mapping: dict[str, Any] | None = None) -> bool:
    """Make an index of one shard where there is none; whether it was made. Raises Refused, UpstreamUnreachable."""
    body: dict[str, Any] = {"settings": SETTINGS} | ({"mappings": mapping} if mapping else {})
    try:
        cluster.ask("PUT", f"/{index}", body)
    except Refused as refused:
        if "already exists" not in str(refused):
            raise
        return False
    return True


def fill(cluster: Cluster, index: str, documents: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[int]:
    """Write documents; gives how many were written, batch by batch. Raises UpstreamError where one is refused."""
    batch: list[tuple[str, bytes]] = []
    for identity, source in documents:
        batch.append((identity, json.dumps(source, ensure_ascii=False).encode()))
        if len(batch) == _BATCH:
            yield _written(cluster, index, batch)
            batch = []
    if batch:
        yield _written(cluster, index, batch)
    cluster.ask("POST", f"/{index}/_refresh")


def _written(cluster: Cluster, index: str, batch: list[tuple[str, bytes]]) -> int:
    for (identity, _), (status, reason) in zip(batch, cluster.bulk(index, batch), strict=True):
        if status not in _THERE:
            raise UpstreamError(f"document {identity!r} was refused ({status}): {reason}")
    return len(batch)
