"""Kinds of searches, and what the experiment did to each: for whom does it help?

Only what is settled before a variant is assigned tells kinds apart (words, index, what the client says of itself); a kind
that the variant itself brings about, a second page for one, would compare different searches. Many kinds are many chances to
be fooled: the p's of all of them are corrected together (Holm).
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from es_rerank.evaluation.compare import corrected
from es_rerank.evaluation.records import Search

LEAST_UNITS = 100
"""A kind with fewer units under any variant is not shown: its interval would only invite stories."""

MOST_KINDS = 8
"""Of one dimension; the most frequent are kept."""

Effect = tuple[float, float, float, float]
"""Change, both ends of its 95 % interval, and p."""

Compare = Callable[[Sequence[Search]], Mapping[str, Effect]]
"""What searches of one kind say of each variant."""


class Segment(msgspec.Struct, frozen=True):
    """One kind of searches under one variant: the main measure's change, and its p with all kinds taken into account."""

    dimension: str
    kind: str
    variant: str
    searches: int
    change: float
    low: float
    high: float
    corrected: float


def segments(searches: Sequence[Search], compare: Compare) -> list[Segment]:
    """Compare every kind that is large enough; dimensions with one kind only say nothing new and are left out."""
    found: list[tuple[str, str, str, int, Effect]] = []
    for dimension, kinds in dimensions(searches).items():
        large = {kind: of for kind, of in kinds.items() if _large(of)}
        if len(kinds) > 1:
            for kind, of in large.items():
                found += [(dimension, kind, name, len(of), effect) for name, effect in compare(of).items()]
    ps = corrected([effect[3] for *_, effect in found])
    return [
        Segment(dimension, kind, name, count, effect[0], effect[1], effect[2], p)
        for (dimension, kind, name, count, effect), p in zip(found, ps, strict=True)
    ]


def dimensions(searches: Sequence[Search]) -> dict[str, dict[str, list[Search]]]:
    """Searches by dimension and kind; of each dimension the most frequent kinds, in that order."""
    often = Counter(words for one in searches if (words := one.words))
    third = _thirds(often)
    found: dict[str, dict[str, list[Search]]] = defaultdict(lambda: defaultdict(list))
    for one in searches:
        words = one.words
        kinds = {"index": one.index, **one.segments}
        if words:
            kinds |= {"length of the query": length(words), "frequency of the query": third[words]}
        for dimension, kind in kinds.items():
            if kind:
                found[dimension][kind].append(one)
    return {
        dimension: dict(sorted(kinds.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:MOST_KINDS])
        for dimension, kinds in found.items()
    }


def length(words: str) -> str:
    """One word, two or three, more. Chinese and Japanese have no blanks: two characters count as a word."""
    ideographs = sum(unicodedata.category(letter) == "Lo" and ord(letter) >= 0x2E80 for letter in words)  # noqa: PLR2004
    others = "".join(" " if ord(letter) >= 0x2E80 else letter for letter in words)  # noqa: PLR2004  CJK begins there
    count = len(others.split()) + (ideographs + 1) // 2
    return "1 word" if count <= 1 else "2 or 3 words" if count <= 3 else "4 words or more"  # noqa: PLR2004


def _thirds(often: Counter[str]) -> dict[str, str]:
    """Frequent queries that make up a third of the searches, rare ones that make up a third, and those between."""
    total, before, found = sum(often.values()), 0, {}
    for words, count in sorted(often.items(), key=lambda entry: (-entry[1], entry[0])):
        found[words] = "frequent" if before * 3 < total else "middle" if before * 3 < 2 * total else "rare"
        before += count
    return found


def _large(searches: Sequence[Search]) -> bool:
    units: dict[str, set[str]] = defaultdict(set)
    for one in searches:
        units[one.variant].add(one.unit)
    return min(map(len, units.values())) >= LEAST_UNITS
