"""The walk itself; the vectors stand in test_query_text."""

from __future__ import annotations

from es_rerank.search.query_text.dsl import Walk, builder_text


def test_document_order() -> None:
    """``should`` before ``must`` stays so."""
    query = {"bool": {"should": [{"match": {"t": "a"}}], "must": [{"match": {"t": "b"}}]}}
    assert Walk((), use_filters=False).texts(query) == ["a", "b"]


def test_builders_without_text() -> None:
    """What embeds nothing says nothing."""
    assert builder_text(None) == []
    assert builder_text({"text_embedding": {"model_text": 3}, "embedding": "x"}) == []
