"""First use of a model: load its kernels, and measure what it can do.

The measured rate tells which windows fit which budgets, and how large a batch may be so that a deadline is still kept.
Time is read here; the arithmetic is plain.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.scoring.backend import Backend

BATCH_S = 0.15
"""A batch should not take longer than this, or a deadline is noticed late."""

_Result = TypeVar("_Result")

_SENTENCE = "The committee read every passage of the report twice before it answered the question about milk. "


class Rate(msgspec.Struct, frozen=True):
    """What a backend does a second, measured on pairs of about 120 tokens."""

    pairs_per_s: float
    tokens_per_s: float

    def seconds(self, window: int, tokens: int) -> float:
        """How long a window of passages of that many tokens takes."""
        return window * tokens / self.tokens_per_s


class Pace:
    """The speed at which batches are scored, followed as it changes, and how large a batch may be at that speed.

    ``most`` bounds a batch in tokens whatever the speed.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._replicas = 1
        self.tokens_per_s = 1e6

    def begin(self, rate: Rate, replicas: int) -> None:
        """Start from the rate measured at first use, of one of so many replicas."""
        self.tokens_per_s, self._replicas = rate.tokens_per_s, replicas

    def measured(self, tokens: int, seconds: float) -> None:
        """Take note of one batch; later ones count more (a mean with weights falling by a fifth)."""
        self.tokens_per_s += 0.2 * (tokens / max(seconds, 1e-6) - self.tokens_per_s)

    @property
    def batch_tokens(self) -> int:
        """The budget of a batch that keeps to BATCH_S; a single pair may be larger."""
        return max(min(self._most, int(self.tokens_per_s * BATCH_S)), 1)

    def seconds(self, tokens: float) -> float:
        """How long so many tokens take on all replicas together."""
        return tokens / (self.tokens_per_s * self._replicas)


def apart(work: Callable[[], _Result]) -> _Result:
    """Do what uses the model's processors in a thread that then ends; gives or raises what ``work`` does.

    OpenMP keeps a pool of threads for every thread that has ever asked for one, and once there are more of them than
    processors GNU's library lets them sleep at each barrier instead of spinning (its manual, GOMP_SPINCOUNT). A pool left
    behind by loading would make every batch a fifth to a third slower; it goes with its thread.
    """
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(work).result()


def measure(backend: Backend, clock: Callable[[], float] = time.perf_counter) -> Rate:
    """Warm the backend up and time it; raises what the backend raises."""
    pairs = backend.prepare("what do the cats drink", [f"{place} {_SENTENCE * 4}" for place in range(8)], 512)
    backend.score(pairs[:1])
    backend.score(pairs[:4])
    begun = clock()
    backend.score(pairs[4:])
    spent_s = max(clock() - begun, 1e-6)
    return Rate(4 / spent_s, sum(pair.cost for pair in pairs[4:]) / spent_s)


def overlong(policies: Iterable[IndexPolicy], rate: Rate) -> Iterable[str]:
    """A warning for each policy whose window the model cannot read within its budget, with the window that it can."""
    for policy in policies:
        tokens = min(policy.passage.max_length, 256)
        needed_s = rate.seconds(policy.rank_window_size, tokens)
        if policy.enabled and needed_s > policy.timeout_ms / 1000:
            fits = max(int(policy.timeout_ms / 1000 * rate.tokens_per_s / tokens), 1)
            yield (
                f"policy {policy.name}: {policy.rank_window_size} passages of {tokens} tokens take about "
                f"{needed_s * 1000:.0f} ms here, its timeout_ms is {policy.timeout_ms}; a rank_window_size of {fits} fits"
            )
