"""Judgments out of clicks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from es_rerank.evaluation.clicks import DEEPEST, Model, columns, judged
from es_rerank.evaluation.records import Search, search_of
from es_rerank.evaluation.simulate import ATTRACTIVE, position_based
from tests.evaluation.test_records import record

GRADES = {"q": (0, 1, 0, 3, 0, 2, 0, 0, 1, 0), "r": (3, 0, 0, 0, 2, 0, 0, 0, 0, 1)}
MODELS: tuple[Model, ...] = ("coec", "pbm")


def search(query: str, hits: Sequence[str], clicked: set[int], start: int = 0) -> Search:
    one = search_of(record("q", start=start))
    one.query, one.hits, one.clicked = query, list(hits), clicked
    return one


def simulated(count: int = 2000) -> list[Search]:
    """Position-based users over four orders of each query's ten hits, so that hits and ranks hang together."""
    chance = np.random.default_rng(7)
    found = []
    for query, grades in GRADES.items():
        for start, step in ((0, 1), (9, -1), (3, 1), (5, 3)):
            places = [(start + step * rank) % 10 for rank in range(10)]
            clicks = position_based(np.array([[grades[place] for place in places]] * count), chance)
            found += [search(query, [str(place) for place in places], set(np.flatnonzero(row))) for row in clicks]
    return found


@pytest.mark.parametrize("model", MODELS)
def test_attraction_is_told_from_the_rank(model: Model) -> None:
    """Hits are ordered by their grade, although a bad one at the top is clicked more than a good one at the foot."""
    found = judged(simulated(), model)
    assert len(found) == 20
    for query, grades in GRADES.items():
        order = [grades[int(one.document)] for one in found if one.query == query]
        assert order == sorted(grades, reverse=True)
    first = {one.document: one for one in found if one.query == "q"}
    assert (first["3"].grade, first["0"].grade) == (3, 0)
    assert first["3"].impressions == 8000


def test_the_position_based_model_finds_what_users_were_made_of() -> None:
    """The attraction of grade 3 over that of grade 1, within a tenth."""
    found = {one.document: one.attraction for one in judged(simulated(), "pbm") if one.query == "q"}
    assert found["3"] / found["1"] == pytest.approx(ATTRACTIVE[3] / ATTRACTIVE[1], rel=0.1)
    assert found["3"] / found["5"] == pytest.approx(ATTRACTIVE[3] / ATTRACTIVE[2], rel=0.1)


@pytest.mark.parametrize("model", MODELS)
def test_what_is_left_out(model: Model) -> None:
    """Hits that were hardly shown, queries that nobody clicked, dropped query text, ranks past the deepest."""
    often = [search("Deep  snow", ["a", "b"], {1}) for _ in range(6)] + [search("deep snow", ["a", "b"], set())] * 6
    rare = [search("deep snow", ["c"], {0})] * 3
    unclicked = [search("ice", ["a"], set())] * 20
    textless = [search("", ["a"], {0})] * 20
    deep = [search("deep snow", ["z"], {0}, start=DEEPEST)] * 20
    found = judged([*often, *rare, *unclicked, *textless, *deep], model)
    assert [(one.query, one.document, one.impressions, one.clicks) for one in found] == [
        ("Deep snow", "b", 12, 6),
        ("Deep snow", "a", 12, 0),
    ]
    assert judged(unclicked, model) == []
    assert judged([], model) == []


def test_a_table_that_evaluate_reads() -> None:
    """With what each grade is made of."""
    found = judged([search("snow", ["a", "b"], {0})] * 10, "coec")
    head, first, second = columns(found)
    assert head == ["query", "doc_id", "relevance", "attraction", "impressions", "clicks"]
    assert first == ["snow", "a", "2", "1.0", "10", "10"]
    assert second[:3] == ["snow", "b", "2"]
