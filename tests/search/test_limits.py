"""Searches that are large on purpose: walked in bounded time, or left alone. Counts stand for time here."""

from __future__ import annotations

import pytest

from es_rerank.core.policy import QueryPolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search import msearch, request, route
from es_rerank.search.query_text import extract
from es_rerank.search.query_text.combine import MAX_QUERY_CHARACTERS, MAX_TEXTS
from es_rerank.search.query_text.lucene import MAX_CHARACTERS, query_string


def parsed(body: bytes) -> request.SearchCall | Passthrough:
    found = route.parse("POST", b"/books/_search")
    assert found is not None
    return request.parse(found, b"application/json", body)


def should(*texts: str) -> dict[str, object]:
    return {"query": {"bool": {"should": [{"match": {"title": text}} for text in texts]}}}


def test_very_many_objects_pass_through() -> None:
    """Before they are decoded."""
    clause = b'{"match":{"title":"snow"}},'
    few = b'{"query":{"bool":{"should":[' + clause * 4_000 + b'{"match_all":{}}]}}}'
    assert isinstance(parsed(few), request.SearchCall)
    many = b'{"query":{"bool":{"should":[' + clause * 6_000 + b'{"match_all":{}}]}}}'
    assert parsed(many) == Passthrough(Reason.UNSUPPORTED)


def test_depth() -> None:
    """Of 100,000 levels: refused by the parser, and passed through."""
    for opened, closed in ((b"[", b"]"), (b'{"bool":', b"}")):
        deep = b'{"query":' + opened * 100_000 + b"1" + closed * 100_000 + b"}"
        assert isinstance(parsed(deep), Passthrough)


def test_very_many_texts() -> None:
    """The first different ones are looked at, in their order; repetitions count once."""
    texts = [f"word{place}" for place in range(MAX_TEXTS * 2)]
    assert extract(should(*texts, "a much longer text"), None, QueryPolicy(combine="longest")) == "word10"
    joined = extract(should(*["Snow"] * 500, "snow", *texts), None, QueryPolicy())
    assert joined is not None
    assert joined.startswith("Snow word0 word1 ")
    assert f"word{MAX_TEXTS - 2}" in joined
    assert f"word{MAX_TEXTS - 1}" not in joined


def test_very_many_clauses() -> None:
    """Walked as far as the bound; the words found by then are the query."""
    texts = ["snow"] * 5_000 + ["ice"]
    assert extract(should(*texts), None, QueryPolicy()) == "snow"


@pytest.mark.parametrize("text", ["(" * 50_000 + "snow" + ")" * 50_000, "[" * 50_000, "{a TO " * 50_000, "\\\\" * 50_000])
def test_lucene_syntax_that_goes_on_for_ever(text: str) -> None:
    """Only its beginning is read."""
    assert query_string(text) == query_string(text[:MAX_CHARACTERS])


def test_brackets_that_are_never_closed() -> None:
    """Say nothing, and what stands between two of them is read."""
    assert query_string("[ snow") == ["snow"]
    assert query_string("[a TO b] snow {c TO d}") == ["snow"]
    assert query_string("[a [b TO c] snow") == ["a snow"]


def test_a_long_text() -> None:
    """Is cut to what a model is shown at most."""
    words = extract(should("snow " * 100_000), None, QueryPolicy())
    assert words is not None
    assert len(words) <= MAX_QUERY_CHARACTERS
    assert words.startswith("snow snow")


def test_very_many_searches_in_one_request() -> None:
    """Pass through as a whole."""
    item = b'{"index":"books"}\n{"query":{"match":{"title":"snow"}}}\n'
    assert len(msearch.parse(item * msearch.MAX_ITEMS)) == msearch.MAX_ITEMS  # type: ignore[arg-type]
    assert msearch.parse(item * (msearch.MAX_ITEMS + 1)) == Passthrough(Reason.UNSUPPORTED)
