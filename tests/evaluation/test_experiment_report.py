"""An analysis in sentences and tables."""

from __future__ import annotations

import io

from rich.console import Console

from es_rerank.evaluation.experiment import Analysis, analysed
from es_rerank.evaluation.experiment_report import table, verdict
from es_rerank.evaluation.records import Joined
from tests.evaluation.test_experiment import searches, split
from tests.evaluation.test_preference import lists


def printed(analysis: Analysis) -> str:
    out = io.StringIO()
    Console(width=200, file=out).print(table(analysis))
    return out.getvalue()


def of(rate: float, count: int = 4000) -> list[str]:
    return verdict(split(searches(count, "control", 0.4, 1), searches(count, "rerank", rate, 2)).strata[0])


def test_verdicts_of_a_split() -> None:
    """Better or worse for certain, better if this is the one look, or nothing that is not chance."""
    assert "rerank is better than control (CTR@10" in of(0.5)[0]
    assert of(0.5)[0].endswith("this holds whenever you look.")
    assert "rerank is worse than control" in of(0.3)[0]
    assert of(0.44, 2000)[0].endswith("if this is the one look that was planned.")
    assert "no difference from control can be told from chance" in of(0.4)[0]


def test_verdicts_of_interleaving() -> None:
    """Who is preferred, whichever team was named first."""

    def said(share: int) -> str:
        return verdict(analysed("e", "interleave", Joined(lists(lambda n: n % 8 < share), {})).strata[0])[0]

    assert said(7).startswith("rerank is preferred to control (+0.75")
    assert said(1).startswith("control is preferred to rerank (-0.75")
    assert said(4).startswith("rerank and control: no preference")


def test_no_conclusion() -> None:
    """Why, and no table."""
    found = split(searches(1000, "control", 0.4, 1), searches(600, "rerank", 0.4, 2))
    assert verdict(found.strata[0])[0].startswith("No conclusion: sample-ratio mismatch")
    assert "CTR@10" not in printed(found)


def test_the_table() -> None:
    """Everything that was counted, and alarms first."""
    groups = searches(400, "control", 0.4, 1, latency_ms=50.0), searches(400, "rerank", 0.5, 2, latency_ms=300.0)
    text = printed(analysed("e", "split", Joined([one for of in groups for one in of], {"of no search": 2})))
    assert "e (split), stratum s: 800 searches of 400 units" in text
    assert "latency is worse" in text
    assert "rerank, as assigned" in text
    assert "Events left over: 2 of no search" in text
    assert "nothing was recorded yet" in printed(Analysis("e", "split", {}, []))
