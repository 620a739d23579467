"""Interleaved lists: who is credited, and who is preferred."""

from __future__ import annotations

from collections.abc import Callable

from es_rerank.evaluation.experiment import analysed
from es_rerank.evaluation.preference import contested, credit, preference
from es_rerank.evaluation.records import Joined, Search, search_of
from tests.evaluation.test_records import record


def test_who_is_credited() -> None:
    """The team that drafted a hit; one that both wanted in that round is nobody's.

    control a b c d, rerank b a d c: rerank drafts b, then control a; then control c, which rerank wanted only after d.
    """
    teams = ["rerank", "control", "control", "rerank"]
    ranks = {"control": [2, 1, 3, 4], "rerank": [1, 2, 4, 3]}
    one = search_of(record("q", teams=teams, ranks=ranks))
    one.hits = ["b", "a", "c", "d"]
    for clicked, expected in (({0}, 1), ({1}, -1), ({0, 1}, 0), ({2}, -1), ({2, 3}, 0), ({9}, 0), (set(), 0)):
        one.clicked = clicked
        assert credit(one, "rerank", "control") == expected
    same = {"control": [1, 2], "rerank": [1, 2]}
    assert contested(["control", "rerank"], same["rerank"], same["control"], "rerank", "control") == {0}
    assert contested(["", "control", "rerank"], [1, 2, 3], [1, 2, 3], "rerank", "control") == {1}
    assert contested(["control", "third", "rerank"], [1, 3, 2], [1, 2, 3], "rerank", "control") == {0}


def lists(win: Callable[[int], bool]) -> list[Search]:
    found = []
    for number in range(400):
        ranks = {"control": [1, 2], "rerank": [2, 1]}
        one = search_of(
            record(f"q{number}", f"u{number // 2}", number % 60, "control+rerank", teams=["control", "rerank"], ranks=ranks)
        )
        one.clicked = {1} if win(number) else {0}
        found.append(one)
    return found


def test_preferences() -> None:
    """Three quarters of the searches won: +0.5 clicks a search; a coin: nothing."""
    found = analysed("e", "interleave", Joined(lists(lambda number: number % 4 != 0), {})).strata[0]
    (pair,) = found.preferences
    assert (pair.first, pair.second, pair.wins, pair.losses, pair.ties) == ("rerank", "control", 300, 100, 0)
    assert (pair.value, pair.p < 1e-6) == (0.5, True)
    assert pair.always_low < pair.low < 0.5 < pair.high < pair.always_high
    assert [one.name for one in found.variants] == ["control+rerank"]
    fair = preference(lists(lambda number: number % 4 in {0, 3}), "rerank", "control")
    assert fair.value == 0
