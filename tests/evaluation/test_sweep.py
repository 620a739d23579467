"""Many settings: what is tried, what is worth its cost, what is chosen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from es_rerank.evaluation.collections import Collection, Query
from es_rerank.evaluation.sweep import Point, SweepFault, chosen, grid, halves, picture, points, table

QUERIES = tuple(Query(f"q{number}", "x") for number in range(40))
COLLECTION = Collection("c", QUERIES, {query.id: {"d": 1} for query in QUERIES})


def test_the_grid() -> None:
    """Every combination, by a name that says what it is; nothing given is the policy as it stands."""
    found = grid([10, 300], ["weighted:0.5", "rrf"], ["title+text"], ["sigmoid"])
    assert list(found) == [
        f"window {size} · {fusion} · title+text · sigmoid" for size in (10, 300) for fusion in ("weighted:0.5", "rrf")
    ]
    assert found["window 300 · weighted:0.5 · title+text · sigmoid"] == {
        "rank_window_size": 300,
        "window_max": 300,
        "fusion": {"method": "weighted", "weight": 0.5},
        "passage": {"fields": ["title", "text"], "template": None},
        "score": {"activation": "sigmoid"},
    }
    assert grid([], ["rrf:20", "replace"], [], [])["rrf:20"] == {"fusion": {"method": "rrf", "rank_constant": 20}}
    assert grid([], [], [], []) == {"as it is": {}}


@pytest.mark.parametrize("fusion", ["weighted:half", "mean", "rrf:1.5"])
def test_odd_fusions(fusion: str) -> None:
    """Told."""
    with pytest.raises(SweepFault, match=f"--fusion {fusion}"):
        grid([], [fusion], [], [])


def test_halves() -> None:
    """Every query in one of two, always the same."""
    first, second = halves(COLLECTION)
    assert sorted(first + second) == sorted(query.id for query in QUERIES)
    assert min(len(first), len(second)) > 10


def made() -> list[Point]:
    first, _ = halves(COLLECTION)
    values = {
        "lucky": {query.id: 0.9 if query.id in first else 0.3 for query in QUERIES},
        "slow": {query.id: 0.6 for query in QUERIES},
        "quick": {query.id: 0.5 for query in QUERIES},
    }
    keys = {name: {"rank_window_size": 1} for name in values}
    return points(keys, values, {"lucky": 30.0, "slow": 40.0, "quick": 10.0}, COLLECTION)


def test_points() -> None:
    """What was lucky on one half is told by the other; what is slower and worse is not on the frontier."""
    lucky, slow, quick = made()
    assert (lucky.tuned, lucky.held_out) == pytest.approx((0.9, 0.3))
    assert [one.frontier for one in (lucky, slow, quick)] == [True, False, True]
    assert quick.low == quick.high == pytest.approx(0.5)


def test_choosing() -> None:
    """The best that is quick enough."""
    assert chosen(made()).name == "lucky"
    assert chosen(made(), most_ms=20).name == "quick"
    with pytest.raises(SweepFault, match=r"the quickest takes 10\.0 ms"):
        chosen(made(), most_ms=5)


def test_table_and_picture() -> None:
    """The chosen one is marked in both."""
    found = made()
    out = io.StringIO()
    Console(width=140, file=out).print(table(found, found[0], "nDCG@10"))
    assert "★ │ lucky" in out.getvalue()
    assert "• │ quick" in out.getvalue()
    text = picture(found, found[0], "nDCG@10")
    assert text.startswith("<svg")
    assert "lucky" in text
