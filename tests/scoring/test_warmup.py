"""First use of a model."""

from __future__ import annotations

import threading

import pytest

from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.texts import Texts
from es_rerank.scoring.warmup import Pace, Rate, apart, measure, overlong
from tests.builders import policy


def test_measure() -> None:
    """Four pairs in two seconds."""
    times = iter([10.0, 12.0])
    rate = measure(Texts(FakeBackend()), lambda: next(times))
    assert rate.pairs_per_s == 2.0
    assert 100 < rate.tokens_per_s < 400


def test_apart() -> None:
    """The thread has ended when the result is there; an exception comes through."""
    worked = apart(threading.current_thread)
    assert worked is not threading.current_thread()
    assert not worked.is_alive()
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 / 0)


def test_batches_keep_to_their_time() -> None:
    """0.15 s of measured work, at most the setting."""
    for tokens_per_s, budget in ((100_000, 15_000), (1e9, 16_384), (10, 1)):
        pace = Pace(16_384)
        pace.begin(Rate(1, tokens_per_s), 1)
        assert pace.batch_tokens == budget


def test_the_pace_follows_what_is_measured() -> None:
    """A model that slows down gets smaller batches; replicas share the work."""
    pace = Pace(16_384)
    pace.begin(Rate(1, 1000), 2)
    assert pace.seconds(1000) == 0.5
    for _ in range(40):
        pace.measured(50, 0.5)
    assert 99 < pace.tokens_per_s < 102
    assert pace.batch_tokens == 15


def test_windows_that_do_not_fit_are_named_with_one_that_does() -> None:
    """Only for policies in use."""
    rate = Rate(20, 256 * 20)
    found = list(overlong([policy(), policy(rank_window_size=20), policy(enabled=False)], rate))
    assert len(found) == 1
    assert "a rank_window_size of 20 fits" in found[0]
