"""The record of a search, in the fields of User Behavior Insights 1.3."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from es_rerank.core.experiment import ExposurePolicy
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.experiment.assignment import Assignment
from es_rerank.experiment.difference import Difference
from es_rerank.experiment.exposure import Page, Shown, Took, record
from tests.core.test_experiment import experiment

AT = datetime(2026, 11, 25, 12, 0, 0, 5000, UTC)


def written(
    disposition: Disposition,
    shown: Shown | None = None,
    query_text: str = "keep",
    *,
    segments: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    chosen = experiment(exposures=ExposurePolicy(index="ubi", query_text=query_text))  # type: ignore[arg-type]
    given = Assignment(chosen, "id-1", "u" * 32, "a", "s", segments=segments or {})
    page = Page("Deep  Snow", 10, 5, "books")
    document = record(given, disposition, page, shown or Shown(), Took(12.345, 5, 3), status=200, at=AT, **more)
    found: dict[str, Any] = json.loads(document)
    return found


def test_a_reranked_search() -> None:
    """Every field; what is absent is left out."""
    shown = Shown(("7", "8"), {"control": (3, 1), "a": (11, 12)}, ("a", "control"), 80)
    told = written(Disposition(Outcome.RERANKED, None, 50, 49), shown, difference=Difference(0.5, 0.25, 2.0, True))
    assert told == {
        "application": "es-rerank",
        "query_id": "id-1",
        "client_id": "u" * 32,
        "user_query": "Deep  Snow",
        "object_id_field": "_id",
        "query_response_id": "id-1",
        "query_response_hit_ids": ["7", "8"],
        "timestamp": "2026-11-25T12:00:00.005Z",
        "query_attributes": {
            "experiment": "e",
            "mode": "split",
            "stratum": "s",
            "weights": {"control": 1.0, "a": 3.0, "b": 3.0},
            "variant": "a",
            "served": "a",
            "outcome": "reranked",
            "window": 50,
            "scored": 49,
            "index": "books",
            "from": 10,
            "size": 5,
            "total": 80,
            "status": 200,
            "ranks": {"control": [3, 1], "a": [11, 12]},
            "teams": ["a", "control"],
            "latency_ms": 12.35,
            "upstream_ms": 5,
            "model_ms": 3,
            "difference": {"rbo": 0.5, "tau": 0.25, "displacement": 2.0, "top_changed": True},
        },
    }


def test_segments() -> None:
    """What the request says of itself, in clear."""
    assert written(Disposition(Outcome.RERANKED), segments={"device": "tv"})["query_attributes"]["segments"] == {
        "device": "tv"
    }


def test_a_search_that_fell_back() -> None:
    """What was assigned stays; what was served is control, and why is said."""
    told = written(Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, 50, 0))["query_attributes"]
    assert (told["variant"], told["served"], told["outcome"], told["reason"]) == ("a", "control", "fell-back", "timeout")


@pytest.mark.parametrize(("how", "kept"), [("keep", "Deep  Snow"), ("drop", None)])
def test_query_text(how: str, kept: str | None) -> None:
    """Kept or dropped."""
    assert written(Disposition(Outcome.RERANKED), query_text=how).get("user_query") == kept


def test_hashed_query_text() -> None:
    """Equal for what differs in case and blanks only; no word of it is left."""
    told = written(Disposition(Outcome.RERANKED), query_text="hash")["user_query"]
    assert len(told) == 32
    assert "snow" not in told
