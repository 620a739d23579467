"""Logged queries under two policies → what would change on the first page, and which clicks would be lost.

A click is lost where the clicked hit stands on the first page under the policy that is, and does not under the one that may
come. Both are asked anew, so a changed index is no change of policy. Clicks were made on what was shown: a hit that only the
new policy brings up could not be clicked, so lost clicks are an upper bound of the harm, and gains are not seen here at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from es_rerank.evaluation.collections import Query
from es_rerank.evaluation.records import Search
from es_rerank.experiment.difference import rbo

_SHOWN = 15


class Logged(msgspec.Struct, frozen=True):
    """A query of the log: how often it was searched, and the clicks that each document got."""

    query: Query
    searches: int
    clicks: dict[str, int]


class Changed(msgspec.Struct, frozen=True):
    """A query whose first page changes: rank-biased overlap of both pages, what joins, what leaves, what leads."""

    query: str
    searches: int
    overlap: float
    joins: list[str]
    leaves: list[str]
    first_before: str
    first_after: str


class Lost(msgspec.Struct, frozen=True):
    """Clicks on one document that the first page would no longer hold; ``after``: its rank then, None: not found."""

    query: str
    document: str
    clicks: int
    before: int
    after: int | None


class Replay(msgspec.Struct, frozen=True):
    """All of it. ``reciprocal``: mean 1 / rank of the clicks, before and after; ``unknown``: on what is not there."""

    queries: int
    searches: int
    cutoff: int
    changed: list[Changed]
    clicks: int
    unknown: int
    lost: list[Lost]
    reciprocal: tuple[float, float]

    @property
    def lost_share(self) -> float:
        """Of the clicks on documents of the first page, how many would be lost."""
        return sum(one.clicks for one in self.lost) / self.clicks if self.clicks else 0.0


def logged(searches: Iterable[Search], most: int) -> list[Logged]:
    """The most frequent queries of a log, case and blanks aside; spelt as the latest search spelt them."""
    counts: Counter[str] = Counter()
    spelt: dict[str, str] = {}
    clicks: dict[str, Counter[str]] = defaultdict(Counter)
    for one in searches:
        words = one.words
        if words:
            counts[words] += 1
            spelt[words] = one.query
            clicks[words].update(one.hits[place] for place in one.clicked)
    often = sorted(counts, key=lambda words: (-counts[words], words))[:most]
    return [
        Logged(Query(f"q{number}", spelt[words]), counts[words], dict(clicks[words])) for number, words in enumerate(often)
    ]


def replayed(
    log: Sequence[Logged], before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]], cutoff: int = 10
) -> Replay:
    """Compare two runs (documents by query id, best first) over the same log."""
    changed = [_changed(one, before[one.query.id][:cutoff], after[one.query.id][:cutoff]) for one in log]
    lost: list[Lost] = []
    clicks = unknown = 0
    reciprocal = [0.0, 0.0]
    for one in log:
        first = {document: rank for rank, document in enumerate(before[one.query.id], 1)}
        then = {document: rank for rank, document in enumerate(after[one.query.id], 1)}
        for document, count in one.clicks.items():
            rank, moved = first.get(document), then.get(document)
            if rank is None or rank > cutoff:
                unknown += count
                continue
            clicks += count
            reciprocal[0] += count / rank
            reciprocal[1] += count / moved if moved else 0.0
            if moved is None or moved > cutoff:
                lost.append(Lost(one.query.text, document, count, rank, moved))
    return Replay(
        queries=len(log),
        searches=sum(one.searches for one in log),
        cutoff=cutoff,
        changed=sorted((one for one in changed if one.overlap < 1), key=lambda one: (one.overlap, -one.searches)),
        clicks=clicks,
        unknown=unknown,
        lost=sorted(lost, key=lambda one: (-one.clicks, one.query, one.document)),
        reciprocal=(reciprocal[0] / max(clicks, 1), reciprocal[1] / max(clicks, 1)),
    )


def _changed(one: Logged, before: Sequence[str], after: Sequence[str]) -> Changed:
    return Changed(
        query=one.query.text,
        searches=one.searches,
        overlap=_overlap(before, after),
        joins=[document for document in after if document not in before],
        leaves=[document for document in before if document not in after],
        first_before=next(iter(before), ""),
        first_after=next(iter(after), ""),
    )


def _overlap(before: Sequence[str], after: Sequence[str]) -> float:
    """Rank-biased, of pages that may hold different documents; 1 for equal ones alone."""
    if list(before) == list(after):
        return 1.0
    return min(rbo(before, after), 0.9999) if before and after else 0.0


def table(found: Replay) -> RenderableType:
    """For a terminal."""
    share = sum(one.searches for one in found.changed) / max(found.searches, 1)
    led = sum(one.searches for one in found.changed if one.first_before != one.first_after) / max(found.searches, 1)
    parts: list[RenderableType] = [
        Text(
            f"{found.queries} queries of {found.searches} searches: the first {found.cutoff} hits change for {share:.1%} of "
            f"the searches, the first hit for {led:.1%}"
        )
    ]
    if found.changed:
        rows = Table(title="changed most")
        for head in ("query", "searches", "overlap", "joins", "leaves", "first hit"):
            rows.add_column(head, justify="right" if head in {"searches", "overlap"} else "left")
        for one in found.changed[:_SHOWN]:
            first = one.first_before if one.first_before == one.first_after else f"{one.first_before} → {one.first_after}"
            cells = f"{one.overlap:.3f}", _some(one.joins), _some(one.leaves), first
            rows.add_row(Text(one.query), str(one.searches), *map(Text, cells))
        parts.append(rows)
    gone = sum(one.clicks for one in found.lost)
    parts.append(
        Text(
            f"clicks: {gone} of {found.clicks} lost ({found.lost_share:.1%}); mean 1/rank of the clicked hits "
            f"{found.reciprocal[0]:.4f} → {found.reciprocal[1]:.4f}; {found.unknown} more on hits that are not there now"
        )
    )
    if found.lost:
        rows = Table(title="lost clicks")
        for head in ("query", "document", "clicks", "rank", "rank then"):
            rows.add_column(head, justify="left" if head in {"query", "document"} else "right")
        for gone_from in found.lost[:_SHOWN]:
            then = str(gone_from.after or "not found")
            rows.add_row(Text(gone_from.query), Text(gone_from.document), str(gone_from.clicks), str(gone_from.before), then)
        parts.append(rows)
    return Group(*parts)


def _some(documents: Sequence[str]) -> str:
    """A few of them."""
    return ", ".join(documents[:3]) + (f" and {len(documents) - 3} more" if len(documents) > 3 else "")  # noqa: PLR2004
