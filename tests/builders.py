"""Short ways to the values that many tests begin with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from es_rerank.core.policy import IndexPolicy, PassagePolicy
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import Resolved, resolve
from es_rerank.search import plan, request, route
from es_rerank.search.headers import Control

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def policy(**keys: Any) -> IndexPolicy:
    """A policy for ``books*`` that reads ``title``; keys as in YAML."""
    given: dict[str, Any] = {"indices": ("books*",), "passage": PassagePolicy(fields=("title",))}
    return IndexPolicy(**(given | keys))


def resolved(*policies: IndexPolicy, expression: str = "books") -> Resolved:
    """What an expression resolves to; fails where it passes through."""
    found = resolve(expression, policies or (policy(),), NOW)
    assert isinstance(found, Resolved)
    return found


def call(body: dict[str, Any] | None = None, target: str = "/books/_search") -> request.SearchCall:
    """A parsed search; fails where it passes through."""
    found = route.parse("POST", target.encode())
    assert found is not None
    parsed = request.parse(found, b"application/json", None if body is None else msgspec.json.encode(body))
    assert isinstance(parsed, request.SearchCall)
    return parsed


def planned(
    body: dict[str, Any] | None = None, *policies: IndexPolicy, target: str = "/books/_search", **control: Any
) -> plan.RerankPlan:
    """A plan; fails where the search passes through. A body without a query searches for ``snow``."""
    searched = {"query": {"match": {"title": "snow"}}, **(body or {})}
    decided = plan.decide(call(searched, target), resolved(*policies), Control(**control))
    assert not isinstance(decided, Passthrough), decided
    return decided


def hit(identity: str, score: float, index: str = "books", **more: Any) -> dict[str, Any]:
    """One hit as Elasticsearch orders its keys."""
    return {"_index": index, "_id": identity, "_score": score, "_source": {"title": f"title {identity}"}, **more}


def answer(hits: list[dict[str, Any]], **more: Any) -> bytes:
    """A whole search answer around hits."""
    best = max((entry["_score"] for entry in hits), default=None)
    total = {"value": len(hits), "relation": "eq"}
    return msgspec.json.encode(
        {
            "took": 3,
            "timed_out": False,
            "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
            "hits": {"total": total, "max_score": best, "hits": hits},
            **more,
        }
    )
