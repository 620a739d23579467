"""A query set, asked through something that answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from es_rerank.evaluation.asking import Ask, Asked, AskFault, ask_all, body_of
from es_rerank.evaluation.collections import Query

QUERIES = [Query("q1", "deep snow"), Query("q2", body={"query": {"match_all": {}}}), Query("q3", "x")]
TEMPLATE = {"query": {"bool": {"must": [{"match": {"title": "all {{query}}"}}], "boost": 2}}}


def answering(*statuses: int) -> tuple[Ask, list[tuple[str, bytes, Mapping[str, str]]]]:
    seen: list[tuple[str, bytes, Mapping[str, str]]] = []
    left = list(statuses)

    def ask(target: str, body: bytes, lines: Mapping[str, str]) -> tuple[int, str, bytes]:
        seen.append((target, body, lines))
        answer = {"hits": {"hits": [{"_id": f"d{len(seen)}", "_score": 2.5}, {"_id": "d0"}]}}
        told = "reranked;window=2;scored=2" if len(seen) % 2 else "fell-back;reason=timeout;window=2"
        return left.pop(0) if left else 200, told, json.dumps(answer).encode()

    return ask, seen


def asked(ask: Ask, folder: Path | None = None, queries: list[Query] = QUERIES) -> tuple[Asked, list[str]]:
    one = Asked("small")
    lines = {"x-rerank-mode": "off"}
    return one, [query.id for query in ask_all(one, queries, ask, "books", TEMPLATE, size=5, lines=lines, folder=folder)]


def test_bodies() -> None:
    """The text wherever the placeholder stands; a query's own body as it is; both with the size that is asked for."""
    more = {"size": 5, "_source": False, "track_total_hits": False}
    filled = {"query": {"bool": {"must": [{"match": {"title": "all deep snow"}}], "boost": 2}}}
    assert json.loads(body_of(QUERIES[0], TEMPLATE, 5)) == filled | more
    assert json.loads(body_of(QUERIES[1], TEMPLATE, 5)) == {"query": {"match_all": {}}} | more
    rendered = Query("t", body={"source": {}}, endpoint="_search/template")
    assert json.loads(body_of(rendered, TEMPLATE, 5)) == {"source": {}}


def test_a_run() -> None:
    """Documents in order, times, and outcomes with their reasons."""
    ask, seen = answering()
    found, done = asked(ask)
    assert done == ["q1", "q2", "q3"]
    assert found.run == {"q1": ["d1", "d0"], "q2": ["d2", "d0"], "q3": ["d3", "d0"]}
    assert found.outcomes == {"reranked": 2, "fell-back (timeout)": 1}
    assert found.took_ms.keys() == found.run.keys()
    assert found.scores["q1"] == [2.5, 0.0]
    assert (seen[0][0], seen[0][2]) == ("/books/_search", {"x-rerank-mode": "off"})
    template = Query("t", body={"source": {}}, endpoint="_search/template")
    asked(ask, queries=[template])
    assert seen[3][0] == "/books/_search/template?size=5"


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    """Broken off at an error, and in the middle of a line; then only the rest is asked."""
    ask, _ = answering(200, 503)
    with pytest.raises(AskFault, match="query 'q2' was answered 503"):
        asked(ask, tmp_path)
    with (tmp_path / "small.jsonl").open("a") as file:
        file.write('{"query": "q2", "to')
    again, seen = answering()
    found, done = asked(again, tmp_path)
    assert (len(seen), done) == (2, ["q1", "q2", "q3"])
    assert found.run["q1"] == ["d1", "d0"]
    assert sum(found.outcomes.values()) == 3
