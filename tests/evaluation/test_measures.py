"""Measures of a ranked list, against values worked out by hand."""

from __future__ import annotations

import builtins
import math
from typing import Any

import pytest

from es_rerank.evaluation.measures import DEFAULT, MeasureFault, parsed, scored, values

JUDGMENTS = {"q": {"a": 3, "b": 0, "c": 1}, "nothing": {"a": 1}}
RUN = {"q": ["b", "a", "x", "c"], "nothing": [], "unjudged": ["a"]}


def test_values_by_hand() -> None:
    """nDCG: 3/log2(3) + 1/log2(5) over 3 + 1/log2(3); one relevant at rank 2, one at 4; a query without hits counts 0."""
    found = values(RUN, JUDGMENTS, ["nDCG@10", "RR@10", "AP@100", "P@10", "R@100", "Judged@10"])
    gain = (3 / math.log2(3) + 1 / math.log2(5)) / (3 + 1 / math.log2(3))
    assert {name: of["q"] for name, of in found.items()} == pytest.approx(
        {"nDCG@10": gain, "RR@10": 0.5, "AP@100": (1 / 2 + 2 / 4) / 2, "P@10": 0.2, "R@100": 1.0, "Judged@10": 0.75}
    )
    assert all(of["nothing"] == 0 for of in found.values())
    assert all(of.keys() == JUDGMENTS.keys() for of in found.values())


def test_every_default_can_be_measured() -> None:
    """Under the names under which they print."""
    names = parsed(DEFAULT)
    assert values(RUN, JUDGMENTS, names).keys() == set(names)


def test_ties_cannot_happen() -> None:
    """Scores made from ranks fall strictly."""
    assert scored(["b", "a", "c"]) == {"b": 3, "a": 2, "c": 1}


@pytest.mark.parametrize("name", ["nDCQ@10", "nDCG@", ""])
def test_unknown(name: str) -> None:
    """Told."""
    with pytest.raises(MeasureFault, match="not a measure"):
        parsed([name])


def test_unsupported() -> None:
    """A measure that no installed program calculates."""
    with pytest.raises(MeasureFault, match="cannot be measured here"):
        values(RUN, JUDGMENTS, ["RBP(p=0.8)"])


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install."""
    real = builtins.__import__

    def missing(name: str, *more: Any, **other: Any) -> Any:
        if name == "ir_measures":
            raise ImportError(name)
        return real(name, *more, **other)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MeasureFault, match=r"pip install 'es-rerank\[evaluation\]'"):
        parsed(["nDCG@10"])
