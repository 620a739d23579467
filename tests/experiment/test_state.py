"""Changes over what the files say."""

from __future__ import annotations

import pytest

from es_rerank.experiment.state import Change, State, applied, problem
from tests.builders import policy
from tests.core.test_experiment import experiment

WEIGHTS = {"control": 0.0, "a": 1.0, "b": 0.0}


def test_changes_add_up() -> None:
    """What a later one leaves out stays; the version grows by one each time."""
    state = State().with_change("e", Change(stopped=True)).with_change("e", Change(weights=WEIGHTS))
    assert state == State(2, {"e": Change(stopped=True, weights=WEIGHTS)})
    assert state.with_change("e", Change(stopped=False)).experiments["e"] == Change(stopped=False, weights=WEIGHTS)


@pytest.mark.parametrize(
    ("weights", "mode", "words"),
    [
        (None, "split", None),
        (WEIGHTS, "split", None),
        (WEIGHTS, "interleave", "two variants"),
        ({"control": 1.0}, "split", "each of"),
        (WEIGHTS | {"a": -1.0}, "split", "a number from 0"),
        (WEIGHTS | {"a": 0.0}, "split", "every weight"),
    ],
)
def test_what_cannot_be_changed(weights: dict[str, float] | None, mode: str, words: str | None) -> None:
    """Every variant has a weight, none is negative, and somebody is left to compare."""
    told = problem(experiment(mode=mode), Change(weights=weights))
    assert told is None if words is None else words in (told or "")


def test_applied() -> None:
    """Only the experiment that is named changes; a change that does not fit the file any more is left out."""
    plain, running = policy(), policy(experiment=experiment())
    found = applied([plain, running], {"e": Change(stopped=True, weights=WEIGHTS)})
    assert found[0] is plain
    assert found[1].experiment is not None
    assert (found[1].experiment.stopped, found[1].experiment.weights) == (True, WEIGHTS)
    assert applied([running], {"e": Change(weights={"control": 1.0})}) == (running,)
    assert applied([running], {"other": Change(stopped=True)}) == (running,)
    kept = applied([running], {"e": Change(weights=WEIGHTS)})[0].experiment
    assert kept is not None
    assert not kept.stopped
