"""An analysis as a page: whole, without outside assets, and with everything from outside escaped."""

from __future__ import annotations

import re

from es_rerank.evaluation.experiment import analysed
from es_rerank.evaluation.experiment_page import page
from es_rerank.evaluation.records import Joined
from tests.evaluation.test_experiment import searches, split
from tests.evaluation.test_preference import lists


def test_a_split() -> None:
    """Verdict, both tables, both plots, queries with links; the same every time."""
    groups = searches(400, "control", 0.4, 1), searches(400, "rerank", 0.6, 2)
    for number, one in enumerate(one for of in groups for one in of):
        one.query = f"<script>alert({number % 3})</script>"
    found = split(*groups)
    text = page(found, "https://es.example/compare")
    assert text.count("<svg") == 2
    assert "as assigned (everybody" in text
    assert "as served (those that were reranked)" in text
    assert "<script" not in text
    assert "https://es.example/compare?q=%3Cscript%3E" in text
    assert re.findall(r"(?:src|href)=['\"](?!https://es\.example/|#)(?!http://www\.w3)[^'\"]*", text) == []
    assert page(found, "https://es.example/compare") == text
    assert "<a href" not in page(found)


def test_interleaved_and_stopped() -> None:
    """No table of measures in either; a stopped report says why where nobody overlooks it."""
    text = page(analysed("e", "interleave", Joined(lists(lambda number: True), {})))
    assert "rerank is preferred to control" in text
    assert "as assigned (everybody" not in text
    stopped = page(split(searches(1000, "control", 0.4, 1), searches(600, "rerank", 0.4, 2)))
    assert "<p class='verdict stopped'>No conclusion" in stopped


def test_measures_that_are_nothing() -> None:
    """Where control has nothing of anything, there is nothing to plot."""
    groups = searches(40, "control", 0.0, 1, latency_ms=0.0), searches(40, "rerank", 0.0, 2, latency_ms=0.0)
    for of in groups:
        for one in of:
            one.hits = []
            one.status = 200
    text = page(split(*groups))
    assert "Clicks by rank" not in text
