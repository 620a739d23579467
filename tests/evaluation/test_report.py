"""What is said of runs."""

from __future__ import annotations

import io
import json

from rich.console import Console

from es_rerank.evaluation.asking import Asked
from es_rerank.evaluation.collections import Collection, Query
from es_rerank.evaluation.report import Report, failures, made, table

COLLECTION = Collection("snow", (Query("q1", "deep snow"), Query("q2", "ice")), {"q1": {"a": 1}, "q2": {"a": 1}})


def run(name: str, first: str, took: float) -> Asked:
    rest = {"a": ["b", "a"], "b": ["a", "b"]}
    found = Asked(name, {"q1": [first, *[other for other in "ab" if other != first]], "q2": rest["a"]})
    found.took_ms = {"q1": took, "q2": took * 3}
    found.outcomes.update({"reranked": 2})
    return found


def report(*runs: Asked) -> Report:
    return made(COLLECTION, runs, ["RR@10", "P@1"])


def printed(found: Report) -> str:
    out = io.StringIO()
    Console(width=140, file=out).print(table(found))
    return out.getvalue()


def test_better() -> None:
    """Means, what moved, times and outcomes."""
    found = report(run("raw", "b", 10), run("small", "a", 30))
    text = printed(found)
    assert "small against raw Elasticsearch · snow, 2 queries" in text
    assert "0.5000 │ 0.7500 │ +0.2500" in text
    assert "+0.5000  q1  deep snow" in text
    assert "small: median 60.0 ms, p95 90.0 ms · 2 reranked" in text
    assert "corrected" not in text
    assert json.loads(found.json())["against"][0]["comparisons"][0]["measure"] == "RR@10"


def test_several_policies() -> None:
    """The p of the main measure is corrected for their number."""
    assert "corrected for 2 policies" in printed(report(run("raw", "b", 1), run("x", "a", 1), run("y", "b", 1)))


def test_bounds() -> None:
    """A number, or raw Elasticsearch itself; every policy that is below is named."""
    found = report(run("raw", "a", 1), run("good", "a", 1), run("bad", "b", 1))
    assert failures(found, [("RR@10", None)]) == ["bad: RR@10 is 0.5000, below 0.7500"]
    assert len(failures(found, [("RR@10", 0.9), ("P@1", 0.1)])) == 3
    assert failures(found, [("RR@10", 0.2)]) == []
