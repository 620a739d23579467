"""How much work may be done a second time: a share of what was sent for the first time, and a burst.

With a fleet in trouble, asking again without a bound is what keeps it in trouble (Beyer et al., Site Reliability
Engineering, 2016, chapter 22, "retry budgets").
"""

from __future__ import annotations


class Budget:
    """Grows by ``share`` with each thing that is sent, up to ``burst``; taking costs 1."""

    def __init__(self, share: float = 0.1, burst: float = 10) -> None:
        self._share = share
        self._burst = burst
        self._left = burst

    def sent(self) -> None:
        """Something was sent for the first time."""
        self._left = min(self._left + self._share, self._burst)

    def take(self) -> bool:
        """Whether something may be sent again."""
        allowed = self._left >= 1
        self._left -= allowed
        return allowed
