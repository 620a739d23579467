"""Who is left alone for a while: the model after failures, an index expression after refusals, the cluster in a storm.

Clocks are arguments, nothing waits here. Does not decide what the client gets.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from es_rerank.core.ports import Clock


class Breaker:
    """A circuit breaker: after ``threshold`` failures in a row it is open for ``rest_s``, then lets one probe through."""

    def __init__(self, clock: Clock, *, threshold: int = 5, rest_s: float = 10.0) -> None:
        self._clock = clock
        self._threshold = threshold
        self._rest_s = rest_s
        self._failures = 0
        self._probe_after = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the threshold has been reached and no success has come since."""
        return self._failures >= self._threshold

    def admit(self) -> bool:
        """Whether a job may be tried now; an admitted probe keeps others out for another rest."""
        if not self.is_open:
            return True
        if self._clock() < self._probe_after:
            return False
        self._probe_after = self._clock() + self._rest_s
        return True

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failures = 0

    def failed(self) -> None:
        """Count a failure; the one that reaches the threshold begins the rest."""
        self._failures += 1
        self._probe_after = self._clock() + self._rest_s


class _Refusals(msgspec.Struct):
    """Refusals in a row of one index expression, and until when it rests."""

    count: int = 0
    until: float = 0.0


class Widening:
    """Whether searches may be widened at all (rules R3 and R4).

    Replays may be ``share`` of all searches, with ``burst`` of them saved up; an expression whose widening was refused
    ``patience`` times in a row rests for ``rest_s``.
    """

    def __init__(
        self, clock: Clock, *, share: float = 0.1, burst: float = 10.0, patience: int = 3, rest_s: float = 300.0
    ) -> None:
        self._clock = clock
        self._share = share
        self._burst = burst
        self._patience = patience
        self._rest_s = rest_s
        self._budget = burst
        self._refusals: OrderedDict[str, _Refusals] = OrderedDict()

    def admit(self, expression: str) -> bool:
        """Whether this search may be widened; every search earns its share of a replay."""
        self._budget = min(self._budget + self._share, self._burst)
        known = self._refusals.get(expression)
        return self._budget >= 1 and (known is None or known.until <= self._clock())

    def accepted(self, expression: str) -> None:
        """A widened search was answered in full."""
        self._refusals.pop(expression, None)

    def replayed(self) -> None:
        """A search has to be sent a second time."""
        self._budget -= 1

    def refused(self, expression: str) -> None:
        """The original was answered where the wider search was refused: the widening was at fault."""
        known = self._refusals.setdefault(expression, _Refusals())
        self._refusals.move_to_end(expression)
        known.count += 1
        if known.count >= self._patience:
            known.count, known.until = 0, self._clock() + self._rest_s
        while len(self._refusals) > 1000:  # noqa: PLR2004  expressions remembered
            self._refusals.popitem(last=False)
