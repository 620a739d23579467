"""Mappings of what experiments write, as index templates: UBI 1.3's fields, and ours in ``query_attributes``.

Composable templates, which Elasticsearch has from 7.8 on, and OpenSearch.
"""

from __future__ import annotations

from typing import Any

from es_rerank.cluster.client import Cluster, Refused

_WORD = {"type": "keyword", "ignore_above": 256}
_TEXT = {"type": "text", "fields": {"keyword": _WORD}}
_MS = {"type": "float"}
_NUMBER = {"type": "integer"}

QUERIES: dict[str, Any] = {
    "application": _WORD,
    "query_id": _WORD,
    "client_id": _WORD,
    "user_query": _TEXT,
    "object_id_field": _WORD,
    "query_response_id": _WORD,
    "query_response_hit_ids": _WORD,
    "timestamp": {"type": "date"},
    "query_attributes": {
        "properties": {
            **dict.fromkeys(
                ("experiment", "mode", "stratum", "variant", "served", "outcome", "reason", "index", "teams"), _WORD
            ),
            **dict.fromkeys(("window", "scored", "from", "size", "status"), _NUMBER),
            "total": {"type": "long"},
            "weights": {"type": "object", "enabled": False},
            "ranks": {"type": "object", "enabled": False},
            "segments": {"type": "object"},
            **dict.fromkeys(("latency_ms", "upstream_ms", "model_ms"), _MS),
            "difference": {"properties": {"rbo": _MS, "tau": _MS, "displacement": _MS, "top_changed": {"type": "boolean"}}},
        }
    },
}
"""Properties of ``ubi_queries``."""

EVENTS: dict[str, Any] = {
    **dict.fromkeys(("application", "action_name", "query_id", "event_id", "message_type"), _WORD),
    "user_query": _TEXT,
    "message": _TEXT,
    "timestamp": {"type": "date"},
    "event_attributes": {
        "properties": {
            "units": _WORD,
            "value": _MS,
            "object": {"properties": {"object_id": _WORD, "object_id_field": _WORD}},
            "position": {"properties": {"ordinal": {"type": "integer"}}},
        }
    },
}
"""Properties of ``ubi_events``."""


def install(cluster: Cluster, index: str, properties: dict[str, Any]) -> str:
    """Put the template, and make the index where it is missing; says what was done. Raises Refused, UpstreamUnreachable."""
    template = {"settings": {"number_of_shards": 1}, "mappings": {"properties": properties}}
    body = {"index_patterns": [index], "priority": 150, "template": template, "_meta": {"by": "es-rerank"}}
    cluster.ask("PUT", f"/_index_template/es-rerank-{index}", body)
    try:
        cluster.ask("PUT", f"/{index}", {})
    except Refused as refused:
        if "already exists" not in str(refused):
            raise
        return "was there already; its template is renewed, its mapping stays"
    return "made"
