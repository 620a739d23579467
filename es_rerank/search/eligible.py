"""Whether a search can be reranked at all: rule R6 of the wire, the same for every policy and variant.

The cases, in the order in which they are looked at: no hits wanted · a cursor · bounded · profiled · another order than
by score · someone else decides the order · a form that cannot be widened. Does not look for text, knows no window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from es_rerank.core.policy import WidenPolicy
from es_rerank.core.reasons import Reason
from es_rerank.search import filter_path, pinned, retriever
from es_rerank.search.request import MAX_RESULT_WINDOW, SearchCall
from es_rerank.search.route import MANY

_PINNING = frozenset({"pinned", "rule", "rule_query", "percolate"})
_MAX_DEPTH = 60


def objection(call: SearchCall, allowed: WidenPolicy) -> Reason | None:
    """Why this search must be left alone; None: nothing speaks against it."""
    if call.size == 0:
        return Reason.SIZE_ZERO
    if _feeds_a_cursor(call):
        return Reason.CURSOR
    if not allowed.bounded and _is_bounded(call):
        return Reason.BOUNDED
    if not allowed.profile and call.tree.get("profile") not in {None, False}:
        return Reason.PROFILE
    if _is_sorted(call):
        return Reason.SORT
    return _order_is_taken(call) or _cannot_be_widened(call)


def _standards(call: SearchCall) -> list[dict[str, Any]]:
    """The body and every ``standard`` retriever in it: both may hold ``sort`` and its kin."""
    inner = [body for name, body in retriever.nodes(call.tree.get("retriever")) if name == "standard"]
    return [call.tree, *inner]


def _feeds_a_cursor(call: SearchCall) -> bool:
    if call.parameter("scroll") is not None or "slice" in call.tree:
        return True
    if "pit" in call.tree and ("sort" in call.tree or call.parameter("sort") is not None):
        return True
    return any("search_after" in part for part in _standards(call))


def _is_bounded(call: SearchCall) -> bool:
    given = [part["terminate_after"] for part in _standards(call) if "terminate_after" in part]
    return call.parameter("terminate_after") not in {None, "0"} or any(value != 0 for value in given)


def _is_sorted(call: SearchCall) -> bool:
    """Body and URL sorts add up; alone, ``_score`` descending is no sort at all."""
    keys: list[object] = []
    for part in _standards(call):
        sort = part.get("sort", [])
        keys += sort if isinstance(sort, list) else [sort]
    keys += [key for key in (call.parameter("sort") or "").split(",") if key]
    return len(keys) > 1 or any(not _by_score(key) for key in keys)


def _by_score(key: object) -> bool:
    if isinstance(key, dict) and list(key) == ["_score"]:
        rule = key["_score"]
        return rule == "desc" or (isinstance(rule, dict) and rule in ({}, {"order": "desc"}))
    return key in ("_score", "_score:desc")


def _order_is_taken(call: SearchCall) -> Reason | None:
    """Elasticsearch itself reranks, or ids in the query (or on the server) fix places."""
    names = {name for name, _ in retriever.nodes(call.tree.get("retriever"))}
    if names & {"text_similarity_reranker", "random_reranker"}:
        return Reason.ALREADY_RERANKED
    fixed = pinned.outermost(call.tree) or {}
    inner = [fixed.get("organic"), fixed.get("retriever")] if fixed else [call.tree.get("query"), call.tree.get("retriever")]
    return Reason.PINNED if any(map(_pins, inner)) else None


def _pins(tree: object) -> bool:
    """Whether a query, or a retriever with the queries in it, decides places by itself."""
    within = list(retriever.nodes(tree))
    queries = [tree, *(body.get("query") for name, body in within if name == "standard")]
    deciding = any(name in retriever.DECIDES_ITSELF for name, _ in within)
    return deciding or any(_PINNING & set(_clause_names(query)) for query in queries)


def _clause_names(query: object, depth: int = 0) -> Iterator[str]:
    """Every key of a query tree whose value is an object: names of clauses, and of fields among them."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(query, dict):
        for name, body in query.items():
            if isinstance(body, dict) and _names_a_clause(name, body):
                yield name
            yield from _clause_names(body, depth + 1)
    elif isinstance(query, list):
        for part in query:
            yield from _clause_names(part, depth + 1)


def _names_a_clause(name: str, body: dict[str, Any]) -> bool:
    """Tell a pinning clause from a field of the same name."""
    return name in _PINNING and not {"organic", "field"}.isdisjoint(body)


def _is_pretty(call: SearchCall) -> bool:
    """A filtered answer is written anew, and blanks are not ours to choose."""
    return call.parameter("pretty") not in {None, "false"}


def _cannot_be_widened(call: SearchCall) -> Reason | None:
    collapse = call.tree.get("collapse")
    stored = call.tree.get("stored_fields", call.parameter("stored_fields"))
    if isinstance(collapse, dict) and "inner_hits" in collapse:
        return Reason.UNSUPPORTED
    if stored == "_none_" or (isinstance(stored, list) and "_none_" in stored):
        return Reason.UNSUPPORTED
    if filter_path.parse(call.parameter("filter_path")) and (_is_pretty(call) or call.route.endpoint in MANY):
        return Reason.UNSUPPORTED
    if call.route.endpoint == "async_search" and call.parameter("keep_on_completion") not in {None, "false"}:
        return Reason.UNSUPPORTED
    limit = retriever.window_limit(call.tree)
    if limit is not None and (call.size is None or call.start + call.size > limit):
        return Reason.UNSUPPORTED
    return Reason.BEYOND_WINDOW if call.start + (call.size or 10) > MAX_RESULT_WINDOW else None
