"""First use of a model."""

from __future__ import annotations

from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.warmup import Rate, measure, overlong
from tests.builders import policy


def test_measure() -> None:
    """Four pairs in two seconds."""
    times = iter([10.0, 12.0])
    rate = measure(FakeBackend(), lambda: next(times))
    assert rate.pairs_per_s == 2.0
    assert 100 < rate.tokens_per_s < 400


def test_batches_keep_to_their_time() -> None:
    """0.15 s of measured work, at most the setting, at least one long pair."""
    assert Rate(1, 100_000).batch_tokens(16_384) == 15_000
    assert Rate(1, 1e9).batch_tokens(16_384) == 16_384
    assert Rate(1, 10).batch_tokens(16_384) == 512


def test_windows_that_do_not_fit_are_named_with_one_that_does() -> None:
    """Only for policies in use."""
    rate = Rate(20, 256 * 20)
    found = list(overlong([policy(), policy(rank_window_size=20), policy(enabled=False)], rate))
    assert len(found) == 1
    assert "a rank_window_size of 20 fits" in found[0]
