"""The order in which waiting pairs are scored: shares between indices, short searches first, nobody for ever last.

Plain data under its owner's lock; no clock, no thread. Between indices work is shared by weight (start-time fair
queueing, Goyal et al., SIGCOMM 1996). Within an index the smallest search goes first, and waiting makes up for size: a
search is passed by smaller ones until it has waited AGEING times its own work. The pairs of one search keep their
order, so what is scored at a deadline is the best of the first stage. Equal pairs are one entry with several searches
waiting for it.
"""

from __future__ import annotations

import asyncio
from itertools import chain

import msgspec

from es_rerank.core.ports import ScoringJob
from es_rerank.scoring.backend import Prepared

AGEING = 100.0
"""How many times its own work a search may be passed by shorter ones."""


class Work(msgspec.Struct, eq=False):
    """One search. ``logits`` and ``truncated`` in the order of its passages; ``open`` counts those without a
    logit, ``unread`` those that are not tokenised yet.

    ``left`` is the cost, in tokens, of what is still to be scored for it alone, with a ``guess`` for each passage that is
    not tokenised yet; ``size`` is the same of all its passages; ``next`` is where the first entry
    may be that is in no batch yet.
    """

    job: ScoringJob
    entered: float
    left: float
    logits: list[float | None]
    truncated: list[bool]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    open: int
    unread: int
    guess: float
    size: float
    entries: list[Entry] = msgspec.field(default_factory=list)
    next: int = 0
    begun: float | None = None
    gone: bool = False

    @classmethod
    def of(cls, job: ScoringJob, cost: int, loop: asyncio.AbstractEventLoop) -> Work:
        """A search of so many tokens, about, that begins to wait now."""
        count = len(job.passages)
        empty: list[float | None] = [None] * count
        done: asyncio.Future[None] = loop.create_future()
        return cls(job, loop.time(), cost, empty, [False] * count, loop, done, count, count, cost / count, cost)


class Entry(msgspec.Struct, eq=False):
    """One pair that is waiting or being scored, and the places of the searches that want it."""

    prepared: Prepared
    waiters: list[tuple[Work, int]]
    taken: bool = False


class Queue:
    """Everything that waits."""

    def __init__(self) -> None:
        self._works: dict[str, list[Work]] = {}
        self._served: dict[str, float] = {}
        self._entries: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        unread = sum(work.unread for work in self.works())
        return unread + sum(not entry.taken for entry in self._entries.values())

    def add(self, work: Work) -> None:
        """A search begins to wait; an index that had nothing waiting joins at the least share served so far."""
        index = work.job.index
        if index not in self._works:
            least = min((self._served[name] for name in self._works), default=0.0)
            self._served[index] = max(self._served.get(index, 0.0), least)
        self._works.setdefault(index, []).append(work)

    def want(self, work: Work, place: int, prepared: Prepared) -> bool:
        """Put one of its pairs behind the others; False: the same pair was on its way already, and is shared."""
        entry = self._entries.get(prepared.key)
        fresh = entry is None
        if entry is None:
            entry = self._entries[prepared.key] = Entry(prepared, [])
        else:
            work.left -= prepared.cost
        entry.waiters.append((work, place))
        work.entries.append(entry)
        return fresh

    def remove(self, work: Work) -> None:
        """A search is answered, or has gone; pairs that nobody else wants are dropped."""
        waiting = self._works.get(work.job.index, [])
        if work not in waiting:
            return
        waiting.remove(work)
        for entry in work.entries if work.open else ():  # where all are answered, none is held any more
            entry.waiters = [(other, place) for other, place in entry.waiters if other is not work]
            if not entry.waiters and not entry.taken and self._entries.get(entry.prepared.key) is entry:
                del self._entries[entry.prepared.key]
        if not waiting:
            del self._works[work.job.index]
            if not self._works:
                self._served.clear()

    def settle(self, entry: Entry) -> list[tuple[Work, int]]:
        """A pair has been scored, or has failed; gives who waits for it."""
        self._entries.pop(entry.prepared.key, None)
        return entry.waiters

    def works(self) -> list[Work]:
        """Every search that waits."""
        return list(chain.from_iterable(self._works.values()))

    def take(self, budget: int, tokens_per_s: float) -> list[Entry]:
        """The next batch: at least one pair where any waits, and more only within ``budget`` tokens."""
        batch: list[Entry] = []
        used = 0
        while (work := self._first(tokens_per_s)) is not None:
            while (entry := _next(work)) is not None:
                if batch and used + entry.prepared.cost > budget:
                    return batch
                entry.taken = True
                batch.append(entry)
                used += entry.prepared.cost
                work.left = max(work.left - entry.prepared.cost, 0)
                self._served[work.job.index] += entry.prepared.cost / work.job.weight
        return batch

    def ahead(self, job: ScoringJob, cost: float, now: float, tokens_per_s: float) -> float:
        """About how many tokens are scored before a new search of that cost begins.

        What goes first in its own index, and of the other indices what their shares let pass meanwhile.
        """
        urgency = now + AGEING * cost / tokens_per_s
        own = sum(work.left for work in self._works.get(job.index, ()) if _urgency(work, tokens_per_s) <= urgency)
        others = 0.0
        for index, works in self._works.items():
            if index != job.index:
                share = works[0].job.weight / job.weight
                others += min(sum(work.left for work in works), own * share)
        return own + others

    def _first(self, tokens_per_s: float) -> Work | None:
        """Of the index that has had least, the most urgent search with a pair that is ready."""
        ready = [
            (self._served[index], _urgency(work, tokens_per_s), place, work)
            for index, works in self._works.items()
            for place, work in enumerate(works)
            if _next(work) is not None
        ]
        return min(ready, key=lambda item: item[:3])[3] if ready else None


def _next(work: Work) -> Entry | None:
    """Its first pair that is in no batch yet."""
    while work.next < len(work.entries):
        entry = work.entries[work.next]
        if not entry.taken:
            return entry
        work.next += 1
    return None


def _urgency(work: Work, tokens_per_s: float) -> float:
    return work.entered + AGEING * work.size / tokens_per_s
