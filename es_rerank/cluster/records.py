"""Everything in an index that an analysis reads: records and events, page by page, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from es_rerank.cluster.client import Cluster, Refused

_PAGE = 1_000
_MISSING = 404


def scan(cluster: Cluster, index: str, query: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """Every source that a query finds; ``key`` is a keyword field that tells them apart. No index: nothing.

    Raises Refused, UpstreamUnreachable.
    """
    after: list[Any] | None = None
    while True:
        body: dict[str, Any] = {"size": _PAGE, "query": query, "sort": [{key: "asc"}], "track_total_hits": False}
        try:
            hits = cluster.search(index, body | ({"search_after": after} if after else {}))["hits"]["hits"]
        except Refused as refused:
            if refused.status == _MISSING:
                return
            raise
        for hit in hits:
            yield hit["_source"]
        if len(hits) < _PAGE:
            return
        after = hits[-1]["sort"]
