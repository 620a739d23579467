"""What the model made of a window, remembered so that the next pages of it follow the same order.

A window that was scored in part, or not at all, keeps that for its next pages, so that nobody sees a hit twice or misses
one; only a new first page asks the model again. The key is a digest of query, ordered passages and plan, the
value holds numbers: it tells nothing about anybody, and equal windows of two users are one entry. Lives in the process.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from es_rerank.core.ports import Clock
from es_rerank.core.reasons import Disposition
from es_rerank.search.long_text import Judged
from es_rerank.search.plan import RerankPlan


class Remembered(msgspec.Struct, frozen=True):
    """One window's judgements, in first-stage order, and what was said of them; ``full``: nothing was left out."""

    judged: tuple[Judged, ...]
    disposition: Disposition
    full: bool


class Memo:
    """Windows of up to ``hits`` hits together, each for ``seconds``; a window counts as one hit at least."""

    def __init__(self, clock: Clock, *, hits: int = 200_000, seconds: float = 300.0) -> None:
        self._clock = clock
        self._hits = hits
        self._held = 0
        self._seconds = seconds
        self._windows: OrderedDict[bytes, tuple[float, Remembered]] = OrderedDict()

    def find(self, key: bytes, plan: RerankPlan) -> Remembered | None:
        """What is known for this page: anything for a later one, a full order for the first."""
        entry = self._windows.get(key)
        if entry is None or entry[0] <= self._clock():
            return None
        return entry[1] if plan.start or entry[1].full else None

    def forget(self, key: bytes) -> None:
        """What was remembered does not hold any more."""
        entry = self._windows.pop(key, None)
        if entry is not None:
            self._held -= _size(entry[1])

    def keep(self, key: bytes, window: Remembered) -> None:
        """Remember a window."""
        self.forget(key)
        self._windows[key] = (self._clock() + self._seconds, window)
        self._held += _size(window)
        while self._held > self._hits:
            self.forget(next(iter(self._windows)))


def _size(window: Remembered) -> int:
    return max(len(window.judged), 1)


def window_key(plan: RerankPlan, texts: Sequence[str]) -> bytes:
    """Digest of everything that decides the order of a window of these texts."""
    digest = _of_plan(plan)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "little") + data)
    return digest.digest()


def unread_key(plan: RerankPlan) -> bytes:
    """The same where the window was never read: the search itself, without its page."""
    digest = _of_plan(plan)
    tree = {name: value for name, value in plan.call.tree.items() if name not in {"from", "size"}}
    parameters = sorted((name, value) for name, value in plan.call.route.parameters if name not in {"from", "size"})
    digest.update(repr((plan.resolved.expression, parameters)).encode() + msgspec.json.encode(tree))
    return digest.digest()


def _of_plan(plan: RerankPlan) -> hashlib._Hash:
    said = repr((plan.query, plan.window, plan.client_k, plan.resolved.policies))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass"))  # faster than BLAKE2 where the processor has it built in
