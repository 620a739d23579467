"""Lucene's syntax → words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search.query_text.lucene import query_string, simple_query_string


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quick fox", "quick fox"),
        ("quick~2 fox^3 gr?y qui*", "quick fox gry qui"),
        ("NOT a b", "b"),
        ("a AND NOT (b c) d", "a d"),
        ("!a b && c || d", "b c d"),
        ("title:quick", "quick"),
        ("title:quick fox", "fox"),
        ('title:"quick fox"', "quick fox"),
        ("_exists_:x", None),
        ("-title:(a b) c", "c"),
        ("date:[2020 TO 2021] a", "a"),
        ("age:{1 TO 3} /re[gx]+/ a", "a"),
        (r"a\:b \(c\) \"d", 'a:b (c) "d'),
        ("*:*", None),
        ("a) b (c", "a b c"),
        ('"open phrase', "open phrase"),
        ("", None),
        ('" ', None),
        ("wi-fi C++", "wi-fi C++"),
        ("猫咪 AND 牛奶", "猫咪 牛奶"),
        ("a & b", "a & b"),
    ],
)
def test_query_string(text: str, words: str | None) -> None:
    """Operators, fields, groups, ranges and escapes are no words; what is negated is none either."""
    assert query_string(text) == ([words] if words else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title:quick", "title:quick"),
        ("a -b -(c d) e", "a e"),
        ("a~2 b*", "a b"),
        ('-"c d" e', "e"),
        (r"a\-b", "a-b"),
        ("(((", None),
    ],
)
def test_simple_query_string(text: str, words: str | None) -> None:
    """No fields, no ranges: a colon is text."""
    assert simple_query_string(text) == ([words] if words else [])


def test_ignored_fields_are_negated() -> None:
    """Groups and phrases of an ignored field say nothing."""
    assert query_string('acl.user:(a b) acl.group:"c" d', ["acl.*"]) == ["d"]


@given(st.text(alphabet='ab"\\()[]{}:+-!~^*?/&| TO', max_size=40))
def test_any_text(text: str) -> None:
    """Broken syntax gives words or nothing."""
    for read in (query_string, simple_query_string):
        assert all(word.strip() for word in read(text))
