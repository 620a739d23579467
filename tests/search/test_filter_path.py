"""``filter_path`` as Elasticsearch applies it; the same cases run on real engines in ``tests/real``."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search.filter_path import (
    ELASTICSEARCH,
    ELASTICSEARCH_7,
    OPENSEARCH,
    FilterPath,
    Habits,
    habits,
    java_double,
    parse,
)

ANSWER = (
    b'{"took":1,"empty":{},"none":null,"list":[],"hits":{"total":{"value":2},"hits":[],"max_score":1.0},'
    b'"deep":[{"a":[{"b":1,"c":[1,2]},{"c":3}],"d.q":4},{"x":{"y":{"z":5}}}]}'
)
CASES: list[tuple[str, Any]] = [
    ("took", {"took": 1}),
    (" took , ,none", {"took": 1, "none": None}),
    ("empty,list", {"empty": {}, "list": []}),
    ("hits.hits", {"hits": {"hits": []}}),
    ("hits.hits._id", {}),
    ("hits.t*", {"hits": {"total": {"value": 2}}}),
    ("*.total", {"hits": {"total": {"value": 2}}}),
    ("deep.a.b", {"deep": [{"a": [{"b": 1}]}]}),
    ("deep.a.c", {"deep": [{"a": [{"c": [1, 2]}, {"c": 3}]}]}),
    ("deep.d.q", {}),
    ("deep.d*", {"deep": [{"d.q": 4}]}),
    (r"deep.d\.q", {"deep": [{"d.q": 4}]}),
    ("**.z", {"deep": [{"x": {"y": {"z": 5}}}]}),
    ("deep.**.b", {"deep": [{"a": [{"b": 1}]}]}),
    ("**.took", {}),
    ("TOOK", {}),
    ("-took,-hits,-deep", {"empty": {}, "none": None, "list": []}),
    ("took,deep.a,-deep.a.c", {"took": 1, "deep": [{"a": [{"b": 1}]}]}),
    ("-deep.a,-deep.d*,-deep.x,-hits.total,took,hits", {"took": 1, "hits": {"hits": [], "max_score": 1.0}}),
    ("took,-took", {}),
    (
        "-empty.x,-list.x,-deep,-hits.hits.x,-took",
        {"empty": {}, "none": None, "list": [], "hits": json.loads(ANSWER)["hits"]},
    ),
    ("empty,list,-**.x", {"empty": {}, "list": []}),
]


@pytest.mark.parametrize(("value", "kept"), CASES)
def test_what_is_kept(value: str, kept: Any) -> None:
    """Includes, excludes, stars, escapes; what loses everything vanishes."""
    assert json.loads(parse(value).applied(ANSWER)) == kept


@pytest.mark.parametrize("value", [None, "", " , ,", "-", "-,"])
def test_nothing_is_filtered(value: str | None) -> None:
    """An empty value is no filter."""
    assert not parse(value)
    assert parse(value).applied(ANSWER) == ANSWER


def test_bytes_outside_sources_are_kept() -> None:
    """Number spelling and escapes are the engine's."""
    data = rb'{"a":{"b":1.50,"c":"\u00e9"},"n":[1E2]}'
    assert parse("a.b").applied(data) == b'{"a":{"b":1.50}}'
    assert parse("-a.b").applied(data) == rb'{"a":{"c":"\u00e9"},"n":[1E2]}'


def test_sources_are_written_anew() -> None:
    """With Java's numbers and the fewest escapes, wherever they stand."""
    stored = rb'{"n":1E5,"big":12345678901234567890123,"s":"\u00e9\u000b\/\"\ud83d\ude00","t":[true,null,-0.0],"o":{"_source":1.50}}'
    anew = '{"n":100000.0,"big":12345678901234567890123,"s":"é\\u000B/\\"\\uD83D\\uDE00","t":[true,null,-0.0],"o":{"_source":1.5}}'
    data = b'{"hits":{"hits":[{"_id":"1","_score":1.50,"_source":%b}],"n":[1]}}' % stored
    whole = b'{"hits":{"hits":[{"_id":"1","_score":1.50,"_source":%b}],"n":[1]}}' % anew.encode()
    assert parse("hits").applied(data) == whole
    assert parse("-x").applied(data) == whole
    assert parse("hits.hits._source").applied(data) == b'{"hits":{"hits":[{"_source":%b}]}}' % anew.encode()
    assert parse("hits.hits._source.n").applied(data) == b'{"hits":{"hits":[{"_source":{"n":100000.0}}]}}'
    assert parse("-hits.hits._source,-hits.n").applied(data) == b'{"hits":{"hits":[{"_id":"1","_score":1.50}]}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.5, "1.5"), (100000.0, "100000.0"), (9999999.0, "9999999.0"), (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"), (1e16, "1.0E16"), (1.7976931348623157e308, "1.7976931348623157E308"),
        (0.001, "0.001"), (0.00099, "9.9E-4"), (0.0001, "1.0E-4"), (1e-5, "1.0E-5"), (1.25e-7, "1.25E-7"), (-1e22, "-1.0E22"),
    ],
)  # fmt: skip
def test_java_doubles(value: float, text: str) -> None:
    """The table of ``Double.toString``'s rules."""
    assert java_double(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_survive(value: float) -> None:
    """Whatever the form, the number is the same."""
    found = float(java_double(value))
    assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.sampled_from(["a", "b", "*", "**", "a*", r"a\.b", "c"]), min_size=1, max_size=3).map(".".join)


@given(st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2), PATHS)
def test_included_and_excluded_are_disjoint(tree: Any, path: str) -> None:
    """Every scalar outside arrays is either in what a path includes or in what is left without it."""
    data = json.dumps(tree).encode()
    inside, outside = json.loads(parse(path).applied(data)), json.loads(parse(f"-{path}").applied(data))
    everywhere = sorted(map(repr, scalars(tree, ())))
    assert sorted(map(repr, [*scalars(inside, ()), *scalars(outside, ())])) == everywhere


def scalars(value: Any, way: tuple[str, ...]) -> Any:
    """Way and value of each; what arrays hold by themselves is left out, includes drop it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from scalars(inner, (*way, name))
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict):
                yield from scalars(inner, way)
    else:
        yield way, value


def test_any_text_is_a_filter() -> None:
    """Nothing is refused: Elasticsearch takes everything, too."""
    assert parse("..,a..b,.") == FilterPath((("", "", ""), ("a", "", "b"), ("", "")), ())


@pytest.mark.parametrize(
    ("lines", "data", "engine"),
    [
        (((b"X-elastic-product", b"Elasticsearch"),), b"{}", ELASTICSEARCH),
        (((b"X-elastic-product", b"Elasticsearch"),), b'{"hits":{"hits":[{"_type":"_doc"}]}}', ELASTICSEARCH_7),
        ((), b"{}", ELASTICSEARCH_7),
        (((b"X-OpenSearch-Version", b"OpenSearch/3.8.0 (opensearch)"),), b"{}", OPENSEARCH),
    ],
)
def test_who_answered(lines: Any, data: bytes, engine: Habits) -> None:
    """Told by header lines, and by hits that have a type."""
    assert habits(lines, data) is engine


def test_habits() -> None:
    """What is left of what was empty, and how a smile is written."""
    data = '{"e":{},"l":[],"h":{"_source":{"s":"\U0001f600"},"x":1}}'.encode()
    escaped = b'"s":"\\uD83D\\uDE00"'
    assert parse("-*.x").applied(data, ELASTICSEARCH) == b'{"e":{},"l":[],"h":{"_source":{%b}}}' % escaped
    assert parse("-*.x").applied(data, ELASTICSEARCH_7) == b'{"h":{"_source":{%b}}}' % escaped
    assert parse("-*.x").applied(data, OPENSEARCH) == '{"h":{"_source":{"s":"\U0001f600"}}}'.encode()
