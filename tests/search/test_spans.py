"""Where values stand in a JSON text."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search import spans

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=5)
written = st.builds(
    lambda tree, indent, ascii_only: json.dumps(tree, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    objects,
    st.sampled_from([None, 1, 2]),
    st.booleans(),
)


@given(written)
def test_every_member_stands_where_it_is_said_to(data: bytes) -> None:
    """Each span decodes to the value of its key; blanks and escapes do not matter."""
    try:
        tree = msgspec.json.decode(data)
    except msgspec.DecodeError:  # lone surrogates
        return
    found = spans.members(data)
    assert list(found) == list(tree)
    for name, member in found.items():
        assert spans.value(data, member.value) == tree[name]
        assert data[member.start : member.start + 1] == b'"'


@given(st.lists(values, max_size=5), st.sampled_from([None, 2]))
def test_every_element_stands_where_it_is_said_to(items: list[Any], indent: int | None) -> None:
    """The same for lists."""
    data = json.dumps(items, indent=indent).encode()
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError:
        return
    assert [spans.value(data, span) for span in spans.elements(data, (0, len(data)))] == msgspec.json.decode(data)


@pytest.mark.parametrize(
    "data", [b'{"a":1,"b":2,"a":3}', b'{"a":1,"a":2}', b'{"a":10,"b":2,"a":3}', b'{"a":1/*x*/}', b"[]", b"", b'{"a":1} x']
)
def test_what_is_refused(data: bytes) -> None:
    """Duplicate keys, comments, no object, trailing text."""
    with pytest.raises(ValueError):  # noqa: PT011  msgspec's and ours alike
        spans.members(data)


def test_locate_and_replace() -> None:
    """Values are found by paths of keys and places, and replaced without touching their neighbours."""
    data = b' {"a": [1, {"b" :  2e5}] , "c":null}\n'
    assert spans.value(data, spans.locate(data, ("a", 1, "b"))) == 2e5
    assert spans.replace(data, {spans.locate(data, ("a", 1, "b")): b"7", spans.locate(data, ("c",)): b"[]"}) == (
        b' {"a": [1, {"b" :  7}] , "c":[]}\n'
    )
    with pytest.raises(KeyError):
        spans.locate(data, ("x",))


def test_set_members() -> None:
    """Present keys are replaced in place, others appended."""
    assert spans.set_members(b'{"k":{"x":1}}', ("k",), {"x": b"2", "y": b"[3]"}) == b'{"k":{"x":2,"y":[3]}}'
    assert spans.set_members(b"{ }", (), {"y": b"1"}) == b'{ "y":1}'
    assert spans.set_members(b' {"a":1} ', (), {"b": b"2"}) == b' {"a":1,"b":2} '


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 99), max_size=5), st.sets(st.sampled_from("abcde")))
def test_without_leaves_valid_json(tree: dict[str, int], gone: set[str]) -> None:
    """Whatever is taken out, the rest is the same object without it."""
    for indent in (None, 2):
        data = json.dumps(tree, indent=indent).encode()
        edits = spans.without(data, (0, len(data)), frozenset(gone))
        left = spans.replace(data, edits)
        assert json.loads(left) == {key: value for key, value in tree.items() if key not in gone}
