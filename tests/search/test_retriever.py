"""What a retriever tree allows."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.search.retriever import nodes, window_limit

STANDARD: dict[str, Any] = {"standard": {"query": {"match": {"t": "a"}}}}


@pytest.mark.parametrize(
    ("tree", "limit"),
    [
        ({}, None),
        ({"retriever": STANDARD}, None),
        ({"retriever": {"knn": {"field": "v", "k": 3}}}, None),
        ({"retriever": {"rrf": {"retrievers": [STANDARD]}}}, 10),
        ({"retriever": {"rrf": {"retrievers": [STANDARD], "rank_window_size": 50}}}, 50),
        ({"retriever": {"rrf": {"rank_window_size": "50"}}}, 0),
        ({"retriever": {"rescorer": {"retriever": STANDARD, "rescore": {"window_size": 20}}}}, 20),
        ({"retriever": {"rescorer": {"rescore": [{"window_size": 20}, {}]}}}, 10),
        ({"retriever": {"rescorer": {}}}, 10),
        ({"rank": {"rrf": {"window_size": 30}}}, 30),
        ({"rank": {}}, 10),
        ({"rank": 3}, None),
        ({"retriever": "x"}, None),
    ],
)
def test_window_limits(tree: dict[str, Any], limit: int | None) -> None:
    """Compound retrievers cap the window, 10 where none is given."""
    assert window_limit(tree) == limit


def test_nodes_walk_weighted_entries() -> None:
    """An entry may be a container, or hold one beside its weight."""
    tree = {"rrf": {"retrievers": [STANDARD, {"retriever": {"knn": {}}, "weight": 2}, 7], "retriever": {"x": 3}}}
    assert [name for name, _ in nodes(tree)] == ["rrf", "standard", "knn"]


def test_a_bottomless_tree_ends() -> None:
    """Depth is limited."""
    tree: dict[str, Any] = {"standard": {}}
    for _ in range(200):
        tree = {"linear": {"retriever": tree}}
    assert len(list(nodes(tree))) < 60
