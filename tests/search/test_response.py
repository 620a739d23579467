"""Bytes of the answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from es_rerank.search.answer import read
from es_rerank.search.fusion import Ranked, first_stage
from es_rerank.search.plan import RerankPlan
from es_rerank.search.response import rewrite
from tests.builders import answer, hit, planned

ODD = b'{"a":1.0,"b":1E5,"c":1234567890123456789012345,"d":"\\u0000\\u00e9","e":\n 3}'


def written(data: bytes, plan: RerankPlan, order: list[Ranked], added_ms: int = 5) -> bytes:
    return rewrite(read(data), plan, order, added_ms)


def test_hits_move_and_only_scores_change() -> None:
    """Number spelling, blanks and escapes of ``_source`` survive."""
    data = answer([hit("1", 2.5), hit("2", 1.5)], aggregations={"x": 1}).replace(b'{"title":"title 1"}', ODD)
    found = written(data, planned({"size": 2}), [Ranked(1, 4.0, 3.0), Ranked(0, 0.5, -0.7)])
    one = b'{"_index":"books","_id":"1","_score":0.5,"_source":' + ODD + b"}"
    two = b'{"_index":"books","_id":"2","_score":4.0,"_source":{"title":"title 2"}}'
    head = b'{"took":8,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":'
    hits = b'{"total":{"value":2,"relation":"eq"},"max_score":4.0,"hits":[' + two + b"," + one + b"]}"
    assert found == head + hits + b',"aggregations":{"x":1}}'


def test_fallback_changes_nothing_but_took() -> None:
    """The cut of the wide answer equals the narrow one."""
    data = answer([hit(str(place), 9.0 - place) for place in range(5)])
    narrow = json.loads(data)
    narrow["hits"]["hits"] = narrow["hits"]["hits"][1:3]
    narrow["took"] += 5
    assert json.loads(written(data, planned({"from": 1, "size": 2}), first_stage(5))) == narrow


@pytest.mark.parametrize("indent", [None, 2])
def test_pretty_stays_pretty(indent: int | None) -> None:
    """Blanks between hits are the engine's own, also around an empty page."""
    data = json.dumps(json.loads(answer([hit("1", 2.0), hit("2", 1.0), hit("3", 0.5)])), indent=indent).encode()
    found = written(data, planned({"size": 2}), [Ranked(2, 3.0, 2.0), Ranked(0, 1.0, 0.0), Ranked(1, 0.5, -1.0)])
    assert found == json.dumps(json.loads(found), indent=indent).encode()
    empty = written(data, planned({"from": 50}), first_stage(3))
    assert json.loads(empty)["hits"]["hits"] == []
    assert (b"[ ]" in empty) == (indent is not None)


def test_one_hit_and_none() -> None:
    """There is no separator to copy."""
    one = answer([hit("1", 2.0)])
    assert json.loads(written(one, planned(), [Ranked(0, 1.0, 0.0)]))["hits"]["hits"][0]["_score"] == 1.0
    none = answer([])
    assert json.loads(written(none, planned(), [])) == json.loads(none) | {"took": 8}


def test_max_score_null_and_missing_keys() -> None:
    """``null`` stays ``null``; what is not there is not added."""
    data = answer([hit("1", 2.0)]).replace(b'"max_score":2.0', b'"max_score":null')
    assert b'"max_score":null' in written(data, planned(), [Ranked(0, 1.0, 0.0)])
    bare = answer([hit("1", 2.0)]).replace(b'"max_score":2.0,', b"").replace(b'"took":3,', b"")
    found = written(bare, planned(), [Ranked(0, 1.0, 0.0)])
    assert b"max_score" not in found
    assert b"took" not in found
    odd = answer([hit("1", 2.0)]).replace(b'"took":3', b'"took":"x"')
    assert b'"took":5' in written(odd, planned(), [Ranked(0, 1.0, 0.0)])


def test_rank_of_old_engines() -> None:
    """8.8 to 8.15 write ``_rank``; it becomes the new one."""
    data = answer([hit("1", 2.0, _rank=1), hit("2", 1.0, _rank=2)])
    hits = json.loads(written(data, planned({"from": 1}), [Ranked(1, 3.0, 2.0), Ranked(0, 1.0, 0.0)]))["hits"]["hits"]
    assert [(entry["_id"], entry["_rank"]) for entry in hits] == [("1", 2)]


@pytest.mark.parametrize(
    ("body", "fields", "left"),
    [
        ({}, {"title": ["t"]}, None),
        ({}, {"root": [{"title": ["t"]}]}, None),
        ({"fields": ["x"]}, {"title": ["t"], "x": [1]}, {"x": [1]}),
        ({"fields": ["x"]}, {"title": ["t"]}, None),
        ({"docvalue_fields": ["x"]}, {"x": [1], "title": ["t"]}, {"x": [1]}),
        ({"collapse": {"field": "k"}}, {"title": ["t"], "k": ["a"]}, {"k": ["a"]}),
        ({"stored_fields": ["x"]}, {"x": [1], "title": ["t"]}, {"x": [1]}),
    ],
)
def test_added_fields_are_taken_out_again(body: dict[str, Any], fields: dict[str, Any], left: object) -> None:
    """Exactly what was added goes; the client's own stay."""
    data = answer([hit("1", 2.0, fields=fields, ignored_field_values={"title": ["long"]})])
    found = json.loads(written(data, planned({"_source": False, **body}), [Ranked(0, 1.0, 0.0)]))["hits"]["hits"][0]
    assert found.get("fields") == left
    assert "ignored_field_values" not in found
    same = json.loads(written(data, planned({"_source": False, **body}), first_stage(1)))["hits"]["hits"][0]
    assert same.get("fields") == left


def test_url_fields_are_the_clients_own() -> None:
    """``docvalue_fields`` in the URL."""
    data = answer([hit("1", 2.0, fields={"x": [1], "title": ["t"]})])
    plan = planned({}, target="/books/_search?docvalue_fields=x&_source=false")
    assert json.loads(written(data, plan, first_stage(1)))["hits"]["hits"][0]["fields"] == {"x": [1]}


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ({"value": 100, "relation": "eq"}, {"value": 5, "relation": "eq"}),
        ({"value": 3, "relation": "eq"}, {"value": 3, "relation": "eq"}),
        (100, 5),
        (3, 3),
        (-1, -1),
        ("odd", "odd"),
    ],
)
def test_totals_of_widened_knn(total: object, expected: object) -> None:
    """What the client's own k would have given; absent stays absent."""
    plan = msgspec.structs.replace(planned(), client_k=5)
    tree = json.loads(answer([hit("1", 1.0)]))
    tree["hits"]["total"] = total
    assert json.loads(written(json.dumps(tree).encode(), plan, first_stage(1)))["hits"]["total"] == expected
    del tree["hits"]["total"]
    assert "total" not in json.loads(written(json.dumps(tree).encode(), plan, first_stage(1)))["hits"]


def test_totals_that_count_what_is_kept() -> None:
    """As Elastic's reranker counts under ``min_score``; a fallback has Elasticsearch's own."""
    tree = json.loads(answer([hit("1", 3.0), hit("2", 2.0), hit("3", 1.0)]))
    tree["hits"]["total"] = {"value": 700, "relation": "gte"}
    plan = msgspec.structs.replace(planned(), counts_kept=True)
    kept = json.loads(written(json.dumps(tree).encode(), plan, [Ranked(2, 1.0, 1.0)]))["hits"]
    assert kept["total"] == {"value": 1, "relation": "eq"}
    none = json.loads(written(json.dumps(tree).encode(), plan, []))["hits"]
    assert (none["total"], none["hits"]) == ({"value": 0, "relation": "eq"}, [])
    assert json.loads(written(json.dumps(tree).encode(), plan, first_stage(3)))["hits"]["total"]["value"] == 700
