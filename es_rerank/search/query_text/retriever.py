"""Texts of a retriever tree and of kNN sections.

Rules: ``specification/_types/Retriever.ts`` of elastic/elasticsearch-specification. Filters, names and limits of a
retriever are never text. Does not decide who may rank.
"""

from __future__ import annotations

from typing import Any

from es_rerank.search.query_text.dsl import Walk, builder_text

_MAX_DEPTH = 50


def knn_texts(knn: dict[str, Any]) -> list[str]:
    """The words that Elasticsearch turns into the query vector; a raw vector has none."""
    return builder_text(knn.get("query_vector_builder"))


def retriever_texts(retriever: object, walk: Walk, depth: int = 0) -> list[str]:
    """Texts of a retriever and of those in it, in document order."""
    texts: list[str] = []
    if not isinstance(retriever, dict) or depth > _MAX_DEPTH:
        return texts
    for name, body in retriever.items():
        if isinstance(body, dict):
            texts += _one(name, body, walk, depth)
    return texts


def _one(name: str, body: dict[str, Any], walk: Walk, depth: int) -> list[str]:
    if name == "standard":
        return walk.texts(body.get("query"))
    if name == "knn":
        return knn_texts(body)
    if name == "text_similarity_reranker" and isinstance(body.get("inference_text"), str):
        return [body["inference_text"]]
    texts = [body["query"]] if isinstance(body.get("query"), str) else []
    children = body.get("retrievers")
    for child in [body.get("retriever"), *(children if isinstance(children, list) else [])]:
        weighted = child.get("retriever") if isinstance(child, dict) else None
        texts += retriever_texts(weighted if isinstance(weighted, dict) else child, walk, depth + 1)
    return texts
