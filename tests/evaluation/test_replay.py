"""Two policies over one log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from es_rerank.evaluation.records import Search, search_of
from es_rerank.evaluation.replay import Lost, logged, replayed, table
from tests.evaluation.test_records import record


def search(query: str, *clicked: int) -> Search:
    one = search_of(record("q"))
    one.query, one.clicked = query, set(clicked)
    return one


LOG = logged([search("deep  snow", 0), search("Deep snow", 0, 2), search("ice", 1), search("", 0)], 10)


def test_a_log() -> None:
    """The most frequent first, spelt as last; what was dropped is no query."""
    assert [(one.query.text, one.searches, one.clicks) for one in LOG] == [
        ("Deep snow", 2, {"a": 2, "c": 1}),
        ("ice", 1, {"b": 1}),
    ]
    assert [one.query.text for one in logged([search("x"), search("y"), search("y")], 1)] == ["y"]


def test_lost_clicks() -> None:
    """A clicked hit that leaves the first page; its new rank is told, and what is not found now is counted apart."""
    before = {"q0": ["a", "b", "x"], "q1": ["b", "y"]}
    after = {"q0": ["b", "d", "x", "a"], "q1": ["b", "y"]}
    found = replayed(LOG, before, after, cutoff=2)
    assert (found.queries, found.searches, found.clicks, found.unknown) == (2, 3, 3, 1)
    assert found.lost == [Lost("Deep snow", "a", 2, 1, 4)]
    assert found.lost_share == pytest.approx(2 / 3)
    assert found.reciprocal == pytest.approx((1.0, (2 / 4 + 1) / 3))
    (changed,) = found.changed
    assert (changed.query, changed.joins, changed.leaves, changed.searches) == ("Deep snow", ["d"], ["a"], 2)
    assert (changed.first_before, changed.first_after) == ("a", "b")
    assert 0 < changed.overlap < 1


def test_nothing_changes() -> None:
    """And nothing is lost."""
    run = {"q0": ["a", "b"], "q1": []}
    found = replayed(LOG, run, run)
    assert (found.changed, found.lost, found.lost_share) == ([], [], 0.0)
    assert replayed([], {}, {}).lost_share == 0.0


def test_a_query_that_finds_nothing_any_more() -> None:
    """Overlaps with nothing."""
    found = replayed(LOG, {"q0": ["a"], "q1": ["b"]}, {"q0": ["a"], "q1": []})
    assert [(one.query, one.overlap, one.first_after) for one in found.changed] == [("ice", 0.0, "")]
    assert found.lost == [Lost("ice", "b", 1, 1, None)]


def test_the_table() -> None:
    """Shares, both lists, whatever stands in a query."""
    log = logged([search("[bold]snow[/nothing]", 0)], 1)
    found = replayed(log, {"q0": ["a", *map(str, range(9))]}, {"q0": [*map(str, range(10, 20)), "a"]})
    out = io.StringIO()
    Console(width=200, file=out).print(table(found))
    text = out.getvalue()
    assert "change for 100.0% of the searches, the first hit for 100.0%" in text
    assert "[bold]snow[/nothing]" in text
    assert "clicks: 1 of 1 lost (100.0%); mean 1/rank of the clicked hits 1.0000 → 0.0909" in text
    assert "10, 11, 12 and 7 more" in text
    assert "beyond" not in text
