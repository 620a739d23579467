"""Hits → passages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.policy import PassagePolicy
from es_rerank.search.answer import read
from es_rerank.search.passage import at, texts_of, without_html
from tests.builders import answer, hit, policy, resolved


def text_of(source: Any, fields: Any = None, **keys: Any) -> str:
    given: dict[str, Any] = {"fields": ("a.b", "c")} | keys
    more = {"_source": source} | ({"fields": fields} if fields is not None else {})
    stage = read(answer([hit("1", 1.0, **more)]))
    return texts_of(stage, 10, resolved(policy(passage=PassagePolicy(**given))))[0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"a": {"b": "x"}, "c": "y"}, "x\ny"),
        ({"a.b": "x"}, "x"),
        ({"a": [{"b": "x"}, {"b": ["y", None, "z"]}]}, "x y z"),
        ({"c": 3.5, "a": {"b": True}}, "true\n3.5"),
        ({"c": {"text": "semantic", "inference": {}}}, "semantic"),
        ({"c": {"other": 1}}, ""),
        ({"c": "  "}, ""),
        ({"a": "no object"}, ""),
        ({}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_source_paths(source: Any, expected: str) -> None:
    """Nested objects, dotted keys, lists, numbers, missing values."""
    assert text_of(source) == expected


def test_fields_stand_in_for_source() -> None:
    """Where ``_source`` was filtered away, ``fields`` brings the text; where both have it, ``_source`` counts."""
    assert text_of({}, {"a.b": ["x", "y"]}) == "x y"
    assert text_of({"c": "source"}, {"c": ["field"]}) == "source"


def test_template() -> None:
    """Field names in double braces; nothing where all of them are missing."""
    keys = {"fields": (), "template": "{{ c }}: {{a.b}}. {{c}}"}
    assert text_of({"a": {"b": "x"}, "c": "y"}, **keys) == "y: x. y"
    assert text_of({"c": "y"}, **keys) == "y: . y"
    assert text_of({}, **keys) == ""
    assert PassagePolicy(**keys).named_fields == ("c", "a.b")  # type: ignore[arg-type]


def test_long_text_is_cut_generously() -> None:
    """Only what no tokenizer would reach is cut here."""
    assert len(text_of({"c": "x" * 100_000}, max_length=16)) == 16 * 24


def test_a_hit_of_an_uncovered_index_has_no_text() -> None:
    """It is kept, without a passage."""
    stage = read(answer([hit("1", 1.0, index="elsewhere"), hit("2", 1.0)]))
    covered = resolved(policy(), expression="books,elsewhere")
    assert texts_of(stage, 10, covered) == ["", "title 2"]
    assert texts_of(stage, 1, covered) == [""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>One &amp; two</p><p>three</p>", "One & two three"),
        ("a<br>b<b>c</b>", "a bc"),
        ("<script>x()</script>y<style>z</style>", "y"),
        ("<!-- no -->1 &lt; 2", "1 < 2"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
        ("</script>left", "left"),
        ("<![if !IE]>a", "a"),
        ("<![nonsense[b]]>", ""),
        ("", ""),
    ],
)
def test_without_html(text: str, expected: str) -> None:
    """Tags go, words stay apart, entities become characters."""
    assert without_html(text) == expected


def test_html_is_stripped_where_the_policy_says_so() -> None:
    """Off by default."""
    assert text_of({"c": "<b>x</b>"}, strip_html=True) == "x"
    assert text_of({"c": "<b>x</b>"}) == "<b>x</b>"


@given(st.text(alphabet='<>!/[]-&;"abscript ', max_size=60))
def test_any_markup(text: str) -> None:
    """Broken markup gives text."""
    assert isinstance(without_html(text), str)


def test_paths_through_mixed_spellings() -> None:
    """A path may be dotted in part."""
    assert list(at({"a": {"b.c": 1}, "a.b": {"c": 2}}, "a.b.c")) == [1, 2]
