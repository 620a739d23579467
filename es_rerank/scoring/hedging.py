"""When a request that takes unusually long is worth asking a second time elsewhere (Dean and Barroso, CACM 2013).

Only the slowest twentieth is, measured by what requests of that size usually take; at most one in a hundred; and only where
the other place is not busy itself. Does not send anything.
"""

from __future__ import annotations

from collections import deque

from es_rerank.scoring.budget import Budget

SHARE = 0.01
"""Of all requests, how many may be asked twice: the extra work that this may cost."""

_KNOWN = 200
_LEAST = 50
_SLOWEST = 0.95
_LEAST_S = 0.005
_FIXED_TOKENS = 500
"""What a request costs beside its tokens, in tokens: short ones are not measured by their few tokens alone."""


class Hedging:
    """What is known of how long requests take. ``after`` says when one is late, ``take`` whether it may be asked again."""

    def __init__(self) -> None:
        self._paces: deque[float] = deque(maxlen=_KNOWN)
        self._budget = Budget(SHARE, 1)

    def sent(self) -> None:
        """A request was sent for the first time."""
        self._budget.sent()

    def took(self, tokens: int, seconds: float) -> None:
        """A request was answered."""
        self._paces.append(seconds / (tokens + _FIXED_TOKENS))

    def after(self, tokens: int) -> float | None:
        """Seconds after which a request of that size is among the slowest; None: too little is known."""
        if len(self._paces) < _LEAST:
            return None
        pace = sorted(self._paces)[int(len(self._paces) * _SLOWEST)]
        return max(pace * (tokens + _FIXED_TOKENS), _LEAST_S)

    def take(self, left_s: float, queue_s: float) -> bool:
        """Whether to ask again now, with ``left_s`` to go, a place where work waited ``queue_s`` lately."""
        return queue_s < left_s / 2 and self._budget.take()
