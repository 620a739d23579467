"""Texts of retriever trees; the vectors stand in test_query_text."""

from __future__ import annotations

from es_rerank.search.query_text.dsl import Walk
from es_rerank.search.query_text.retriever import retriever_texts


def test_document_order_of_children() -> None:
    """A simplified query first, then the children as they stand."""
    tree = {
        "linear": {
            "query": "plain",
            "retrievers": [
                {"retriever": {"standard": {"query": {"match": {"t": "a"}}}}},
                {"standard": {"query": {"match": {"t": "b"}}}},
            ],
        }
    }
    assert retriever_texts(tree, Walk((), use_filters=False)) == ["plain", "a", "b"]
