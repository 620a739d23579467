"""Where the words of a person stand in a search: query DSL, Lucene syntax, retriever trees.

One entry, :func:`extract`. The words are looked for in this order: the JSON path that the policy names, URL ``q``
(which replaces the body's ``query``), ``query``, ``retriever``, ``knn``, ``sub_searches``; if none of them holds any, the
``rescore`` queries. Does not use filters, ``must_not``, suggesters or aggregations.
"""

from __future__ import annotations

from typing import Any

from es_rerank.core.policy import QueryPolicy
from es_rerank.search.query_text.combine import combine
from es_rerank.search.query_text.dsl import Walk
from es_rerank.search.query_text.lucene import query_string
from es_rerank.search.query_text.retriever import knn_texts, retriever_texts


def extract(tree: dict[str, Any], q: str | None, policy: QueryPolicy) -> str | None:
    """Find the text that the model should read as the query; None where the search holds no words."""
    if policy.path is not None:
        found = at(tree, policy.path)
        if found is not None:
            return combine([found], policy.combine)
    walk = Walk(policy.ignore_fields, use_filters=False)
    texts = _main(tree, q, walk) or _rescore(tree, walk)
    if not texts and policy.filters_as_text:
        texts = _main(tree, q, Walk(policy.ignore_fields, use_filters=True))
    return combine(texts, policy.combine)


def _main(tree: dict[str, Any], q: str | None, walk: Walk) -> list[str]:
    texts = query_string(q, walk.ignored) if q is not None else walk.texts(tree.get("query"))
    texts += retriever_texts(tree.get("retriever"), walk)
    for entry in _listed(tree.get("knn")):
        texts += knn_texts(entry)
    for entry in _listed(tree.get("sub_searches")):
        texts += walk.texts(entry.get("query"))
    return texts


def _rescore(tree: dict[str, Any], walk: Walk) -> list[str]:
    texts = []
    for entry in _listed(tree.get("rescore")):
        query = entry.get("query")
        texts += walk.texts(query.get("rescore_query")) if isinstance(query, dict) else []
    return texts


def _listed(value: object) -> list[dict[str, Any]]:
    return [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]


def at(tree: object, path: str) -> str | None:
    """Follow a dotted path (list places are numbers) to a string."""
    for step in path.split("."):
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return None
    return tree if isinstance(tree, str) else None
