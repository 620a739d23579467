"""Logits by the key of their pair, so that a search that comes again costs no model time and gives equal scores.

The key holds model, precision, length and token ids (``Backend.prepare``). Bounded in entries, least recently used out
first; lives in the process, is used under its owner's lock, and holds hashes and numbers only.
"""

from __future__ import annotations

from collections import OrderedDict


class ScoreCache:
    """Up to ``entries`` logits; 0: none are kept."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._logits: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._logits)

    def find(self, key: bytes) -> float | None:
        """The logit of that pair, where it is known."""
        logit = self._logits.get(key)
        if logit is not None:
            self._logits.move_to_end(key)
        return logit

    def keep(self, key: bytes, logit: float) -> None:
        """Remember a logit."""
        self._logits[key] = logit
        if len(self._logits) > self._entries:
            self._logits.popitem(last=False)
