"""Query sets that people grade."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from es_rerank.evaluation import collections
from es_rerank.evaluation.judging import JudgingFault, QuerySets


def test_make_grade_and_evaluate(tmp_path: Path) -> None:
    """A set is made of lines, graded query by query, and is a collection as ``evaluate`` reads it."""
    sets = QuerySets(tmp_path / "sets")
    assert sets.names() == []
    made = sets.make("first", " books ", ["deep  snow", "", "猫", "deep snow"])
    assert (made.index, made.done, [(one.id, one.text) for one in made.queries]) == (
        "books",
        0,
        [("q1", "deep snow"), ("q2", "猫")],
    )
    sets.grade("first", "q1", {"a": 3, "b": 0})
    sets.grade("first", "q1", {"b": None, "c": 1})
    found = sets.load("first")
    assert (found.done, found.queries[0].grades, found.queries[1].grades) == (1, {"a": 3, "c": 1}, {})
    judged = collections.load(tmp_path / "sets/first")
    assert [query.text for query in judged.queries] == ["deep snow"]
    assert judged.judgments == {"q1": {"a": 3, "c": 1}}
    assert sets.names() == ["first"]


def test_judges_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Twenty of them, each with a query of its own."""
    sets = QuerySets(tmp_path)
    sets.make("all", "books", [f"query {number}" for number in range(20)])
    judges = [threading.Thread(target=sets.grade, args=("all", f"q{number}", {"a": number % 4})) for number in range(1, 21)]
    for judge in judges:
        judge.start()
    for judge in judges:
        judge.join()
    assert sets.load("all").done == 20


@pytest.mark.parametrize("name", ["../out", "Big", "", "a/b", "x" * 65])
def test_names(tmp_path: Path, name: str) -> None:
    """Nothing outside the folder can be meant."""
    with pytest.raises(JudgingFault, match="no name of a set"):
        QuerySets(tmp_path).make(name, "books", ["snow"])


def test_faults(tmp_path: Path) -> None:
    """Told, with what to do."""
    sets = QuerySets(tmp_path)
    sets.make("first", "books", ["snow"])
    for call, words in (
        (lambda: sets.make("first", "books", ["snow"]), "choose another name"),
        (lambda: sets.make("second", "books", [" "]), "one a line"),
        (lambda: sets.make("second", "", ["snow"]), "name the index"),
        (lambda: sets.grade("first", "q9", {"a": 1}), "no query 'q9'"),
        (lambda: sets.grade("first", "q1", {"a": 4}), "a grade is one of"),
        (lambda: sets.grade("first", "q1", {"a\tb": 1}), "cannot be written to qrels"),
        (lambda: sets.load("nowhere"), "no query set that can be read"),
    ):
        with pytest.raises(JudgingFault, match=words):
            call()
    (tmp_path / "first/queries.jsonl").write_text("[]\n")
    with pytest.raises(JudgingFault, match="no query set that can be read"):
        sets.load("first")
    (tmp_path / "file").write_text("")
    with pytest.raises(JudgingFault, match="cannot be made"):
        QuerySets(tmp_path / "file").make("second", "books", ["snow"])
