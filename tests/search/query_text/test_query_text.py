"""Where the words stand: the vectors of the query DSL, end to end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.policy import QueryPolicy
from es_rerank.search.query_text import extract

KNN_TEXT = {"field": "v", "query_vector_builder": {"text_embedding": {"model_id": "m", "model_text": "a"}}}
INTERVALS = {
    "intervals": {
        "t": {
            "all_of": {
                "ordered": True,
                "intervals": [
                    {"match": {"query": "my fav food"}},
                    {"any_of": {"intervals": [{"match": {"query": "hot water"}}, {"match": {"query": "cold porridge"}}]}},
                ],
            }
        }
    }
}
VECTORS: list[tuple[dict[str, Any], str | None]] = [
    ({"match": {"t": "a b"}}, "a b"),
    ({"match": {"t": {"query": "a b", "operator": "and"}}}, "a b"),
    ({"match": {"n": 3}}, "3"),
    ({"match": {"b": True}}, "true"),
    (
        {
            "bool": {
                "must": {"match": {"t": "a"}},
                "filter": [{"term": {"k": "x"}}],
                "must_not": [{"match": {"t": "z"}}],
            }
        },
        "a",
    ),
    (
        {
            "bool": {
                "should": [
                    {"match": {"t": "a b"}},
                    {"match_phrase": {"u": "A B"}},
                    {"multi_match": {"query": "a b c", "fields": ["t^2", "u"]}},
                ]
            }
        },
        "a b c",
    ),
    ({"bool": {"filter": {"match": {"t": "a"}}}}, None),
    ({"bool": {"mustNot": {"match": {"t": "a"}}}}, None),
    ({"query_string": {"query": 'title:(quick AND "brown fox"~2)^3 -lazy lang:en'}}, "quick brown fox"),
    ({"simple_query_string": {"query": '"fried eggs" +(eggplant | potato) -frittata'}}, "fried eggs eggplant potato"),
    (
        {"function_score": {"query": {"match": {"t": "a"}}, "functions": [{"filter": {"match": {"t": "z"}}, "weight": 2}]}},
        "a",
    ),
    ({"boosting": {"positive": {"match": {"t": "a"}}, "negative": {"match": {"t": "z"}}, "negative_boost": 0.5}}, "a"),
    ({"nested": {"path": "c", "query": {"match": {"c.t": "a"}}}}, "a"),
    (INTERVALS, "my fav food hot water"),
    ({"wrapper": {"query": "eyJtYXRjaCI6eyJ0IjoiYSJ9fQ=="}}, "a"),
    ({"wrapper": {"query": "%%%"}}, None),
    ({"knn": KNN_TEXT}, "a"),
    ({"term": {"k": "a"}}, None),
    ({"match_all": {}}, None),
    ({"script_score": {"query": {"match": {"t": "a"}}}}, "a"),
    ({"constant_score": {"filter": {"match": {"t": "a"}}}}, "a"),
    ({"dis_max": {"queries": [{"match": {"t": "a"}}, {"match": {"t": "b"}}]}}, "a b"),
    ({"has_child": {"type": "x", "query": {"match": {"t": "a"}}}}, "a"),
    ({"has_parent": {"parent_type": "x", "query": {"match": {"t": "a"}}}}, "a"),
    ({"combined_fields": {"query": "a", "fields": ["t"]}}, "a"),
    ({"match_bool_prefix": {"t": "a b"}}, "a b"),
    ({"match_phrase_prefix": {"t": {"query": "a b"}}}, "a b"),
    ({"common": {"t": {"query": "a"}}}, "a"),
    ({"semantic": {"field": "s", "query": "a"}}, "a"),
    ({"sparse_vector": {"field": "s", "query": "a"}}, "a"),
    ({"sparse_vector": {"field": "s", "query_vector": {"a": 1}}}, None),
    ({"text_expansion": {"s": {"model_id": "m", "model_text": "a"}}}, "a"),
    ({"weighted_tokens": {"s": {"tokens": {"a": 1}}}}, None),
    ({"more_like_this": {"fields": ["t"], "like": ["a", {"_id": "1"}]}}, "a"),
    ({"pinned": {"ids": ["1"], "organic": {"match": {"t": "a"}}}}, "a"),
    ({"rule": {"organic": {"match_all": {}}, "match_criteria": {"query_string": "a", "n": 1}}}, "a"),
    ({"rule": {"organic": {"match": {"t": "b"}}}}, "b"),
    ({"rule_query": {"organic": {"match_all": {}}, "match_criteria": 3}}, None),
    ({"span_near": {"clauses": [{"span_term": {"t": "a"}}, {"span_term": {"t": {"value": "b"}}}]}}, "a b"),
    ({"span_near": {"clauses": []}}, None),
    ({"span_or": {"clauses": [{"span_term": {"t": "a"}}, {"span_term": {"t": "b"}}]}}, "a"),
    ({"span_not": {"include": {"span_term": {"t": "a"}}, "exclude": {"span_term": {"t": "b"}}}}, "a"),
    ({"fuzzy": {"t": "a"}}, None),
    ({"prefix": {"t": "a"}}, None),
    ({"range": {"n": {"gte": 3}}}, None),
    ({"match": {"t": ["a"]}}, None),
    ({"match": "a"}, None),
    ({"intervals": {"t": {"wildcard": {"pattern": "a*"}}}}, None),
    ({"intervals": {"t": {"any_of": {"intervals": []}}}}, None),
    ({"intervals": {"t": {"all_of": {"intervals": []}}}}, None),
    ({"intervals": {"t": 3}}, None),
]


@pytest.mark.parametrize(("query", "text"), VECTORS)
def test_queries(query: dict[str, Any], text: str | None) -> None:
    """The test vectors of the wire's section 3."""
    assert extract({"query": query}, None, QueryPolicy()) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, None),
        ({"query": [3]}, None),
        ({"knn": {"field": "v", "query_vector": [1, 2]}}, None),
        ({"knn": [KNN_TEXT, 3]}, "a"),
        ({"knn": {"query_vector_builder": {"embedding": {"input": {"type": "text", "value": "b"}}}}}, "b"),
        ({"knn": {"query_vector_builder": {"embedding": {"input": {"type": "image", "value": "b"}}}}}, None),
        ({"knn": {"query_vector_builder": {"lookup": {}}}}, None),
        ({"retriever": {"standard": {"query": {"match": {"t": "a"}}, "filter": {"match": {"t": "z"}}}}}, "a"),
        ({"retriever": {"knn": KNN_TEXT}}, "a"),
        ({"retriever": {"rrf": {"retrievers": [{"retriever": {"knn": KNN_TEXT}, "weight": 2}, 3]}}}, "a"),
        ({"retriever": {"rrf": {"query": "plain", "fields": ["t"]}}}, "plain"),
        ({"retriever": {"rescorer": {"retriever": {"standard": {"query": {"match": {"t": "a"}}}}}}}, "a"),
        ({"retriever": {"text_similarity_reranker": {"inference_text": "best", "retriever": {"knn": KNN_TEXT}}}}, "best"),
        ({"retriever": {"text_similarity_reranker": {"retriever": {"knn": KNN_TEXT}}}}, "a"),
        ({"retriever": {"standard": 3}}, None),
        ({"retriever": 3}, None),
        ({"sub_searches": [{"query": {"match": {"t": "a"}}}, {"query": {"match": {"t": "b"}}}]}, "a b"),
        ({"query": {"match_all": {}}, "rescore": {"query": {"rescore_query": {"match": {"t": "r"}}}}}, "r"),
        ({"query": {"match": {"t": "a"}}, "rescore": {"query": {"rescore_query": {"match": {"t": "r"}}}}}, "a"),
        ({"rescore": [{"query": 3}, {"window_size": 5}]}, None),
        ({"suggest": {"s": {"text": "z"}}, "post_filter": {"match": {"t": "z"}}}, None),
    ],
)
def test_bodies(body: dict[str, Any], text: str | None) -> None:
    """Sections of kNN, retriever trees, sub-searches, rescorers."""
    assert extract(body, None, QueryPolicy()) == text


def test_url_q_replaces_query_but_not_knn() -> None:
    """``q`` is a query_string query."""
    assert extract({"query": {"match": {"t": "z"}}, "knn": KNN_TEXT}, "b -c", QueryPolicy()) == "b a"


def test_filters_count_only_where_asked_and_where_nothing_else_speaks() -> None:
    """The fallback for searches that are filters only."""
    policy = QueryPolicy(filters_as_text=True)
    assert extract({"query": {"bool": {"filter": {"match": {"t": "a"}}}}}, None, policy) == "a"
    both = {"bool": {"filter": {"match": {"t": "a"}}, "must": {"match": {"t": "b"}}}}
    assert extract({"query": both}, None, policy) == "b"


def test_ignored_fields() -> None:
    """Clauses on fields that say nothing about what the person wants."""
    policy = QueryPolicy(ignore_fields=("tenant", "acl.*"))
    query = {
        "bool": {
            "must": [
                {"match": {"t": "a"}},
                {"match": {"tenant": "x"}},
                {"multi_match": {"query": "y", "fields": ["tenant^2", "acl.user"]}},
                {"multi_match": {"query": "c", "fields": ["tenant", "t"]}},
                {"semantic": {"field": "tenant", "query": "y"}},
                {"more_like_this": {"fields": ["tenant"], "like": "y"}},
                {"intervals": {"acl.x": {"match": {"query": "y"}}}},
                {"query_string": {"query": "tenant:(v w) d"}},
            ]
        }
    }
    assert extract({"query": query}, None, policy) == "a c d"


def test_a_path_into_the_body() -> None:
    """For hand-made request shapes; where it leads nowhere, the walk goes on as usual."""
    policy = QueryPolicy(path="ext.words.1.text")
    assert extract({"ext": {"words": [{}, {"text": "a"}]}}, None, policy) == "a"
    assert extract({"ext": {"words": 3}, "query": {"match": {"t": "b"}}}, None, policy) == "b"
    assert extract({"ext": {"words": [{}, {"text": 3}]}, "query": {"match": {"t": "b"}}}, None, policy) == "b"


def test_bottomless_trees_end() -> None:
    """Depth is limited in every walk."""
    query: dict[str, Any] = {"match": {"t": "a"}}
    retriever: dict[str, Any] = {"standard": {"query": query}}
    interval: dict[str, Any] = {"match": {"query": "a"}}
    for _ in range(300):
        query = {"bool": {"must": query}}
        retriever = {"linear": {"retrievers": [retriever]}}
        interval = {"all_of": {"intervals": [interval]}}
    assert extract({"query": query, "retriever": retriever}, None, QueryPolicy()) is None
    assert extract({"query": {"intervals": {"t": interval}}}, None, QueryPolicy()) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["match", "bool", "must", "query", "t", "knn", "retriever", "rrf", "intervals", "wrapper", "like"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(json_values, st.sampled_from(["query", "retriever", "knn", "rescore"]))
def test_any_tree(value: Any, key: str) -> None:
    """Any JSON gives a text or none."""
    assert isinstance(extract({key: value}, None, QueryPolicy(filters_as_text=True)), str | None)
