"""Recorded clicks → judgments, with the rank at which something was shown taken out.

Two ways. ``coec``: clicks over expected clicks, where a rank's click rate is what is expected there (Zhang and Jones, WWW
2007 workshop on query log analysis). ``pbm``: the position-based model, in which a click needs a rank that is looked at and
a hit that attracts (Craswell, Zoeter, Taylor and Ramsey, WSDM 2008), fitted by expectation maximisation (Chuklin, Markov and
de Rijke, Click Models for Web Search, 2015, section 4.1.2). Both learn from hits that were shown at several ranks, which is
what an experiment brings about by chance. Does not know a hit that nobody was shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from es_rerank.evaluation.records import Search

if TYPE_CHECKING:
    import numpy as np

Model = Literal["coec", "pbm"]

DEEPEST = 100
"""The last rank that is told apart; clicks below it are too rare to expect anything of."""

BOUNDS = (0.5, 1.0, 2.0)
"""A hit that attracts less than half of what a shown hit does is of grade 0; twice as much or more is grade 3."""

_MOST_STEPS = 200
_EQUAL = 1e-6


class Judgment(msgspec.Struct, frozen=True):
    """One hit of one query. ``attraction``: how often it is clicked, against the mean of all shown hits, ranks aside."""

    query: str
    document: str
    grade: int
    attraction: float
    impressions: int
    clicks: int


class _Seen(msgspec.Struct, frozen=True):
    """Impressions and clicks, ``(n_pairs, n_ranks)`` both; pairs of query and document in that order."""

    pairs: list[tuple[str, str]]
    shown: np.ndarray
    clicked: np.ndarray


def judged(searches: Iterable[Search], model: Model, least: int = 10) -> list[Judgment]:
    """Grade every hit that was shown ``least`` times for a query that was clicked at all; best first in each query."""
    import numpy as np  # noqa: PLC0415  an extra

    seen = _counted(searches)
    if not seen.clicked.sum():
        return []
    found = _coec(seen) if model == "coec" else _pbm(seen)
    shown, clicked = seen.shown.sum(axis=1), seen.clicked.sum(axis=1)
    attraction = found / np.average(found, weights=shown)
    of_clicked = {query for (query, _), count in zip(seen.pairs, clicked, strict=True) if count}
    graded = [
        Judgment(query, document, _grade(value), round(float(value), 4), int(times), int(count))
        for (query, document), value, times, count in zip(seen.pairs, attraction, shown, clicked, strict=True)
        if times >= least and query in of_clicked
    ]
    return sorted(graded, key=lambda one: (one.query, -one.attraction, one.document))


def _grade(attraction: float) -> int:
    return sum(attraction >= bound for bound in BOUNDS)


def _counted(searches: Iterable[Search]) -> _Seen:
    """Add up by query (case and blanks aside, as first written), document and rank."""
    import numpy as np  # noqa: PLC0415  an extra

    spelt: dict[str, str] = {}
    places: dict[tuple[str, str], int] = {}
    counts: list[tuple[int, int, bool]] = []
    for one in searches:
        words = one.words
        if not words:
            continue
        query = spelt.setdefault(words, " ".join(one.query.split()))
        for place, document in enumerate(one.hits[: max(0, DEEPEST - one.start)]):
            pair = places.setdefault((query, document), len(places))
            counts.append((pair, one.start + place, place in one.clicked))
    shown, clicked = (np.zeros((len(places), DEEPEST)) for _ in range(2))
    if counts:
        pairs, ranks, clicks = (np.array(column) for column in zip(*counts, strict=True))
        np.add.at(shown, (pairs, ranks), 1)
        np.add.at(clicked, (pairs, ranks), clicks)
    return _Seen(list(places), shown, clicked)


def _coec(seen: _Seen) -> np.ndarray:
    """Clicks over expected ones, ``(n_pairs,)``; one click as expected is added, so that few impressions say little."""
    import numpy as np  # noqa: PLC0415  an extra

    rates = seen.clicked.sum(axis=0) / np.maximum(seen.shown.sum(axis=0), 1)
    found: np.ndarray = (seen.clicked.sum(axis=1) + 1) / (seen.shown @ rates + 1)
    return found


def _pbm(seen: _Seen) -> np.ndarray:
    """Each pair's attraction, ``(n_pairs,)``; one look with the mean attraction is added, so that few looks say little."""
    import numpy as np  # noqa: PLC0415  an extra

    shown, clicked, missed = seen.shown, seen.clicked, seen.shown - seen.clicked
    mean = clicked.sum() / shown.sum()
    attraction = np.full(len(seen.pairs), mean)
    looked = np.full(shown.shape[1], 0.5)
    for _ in range(_MOST_STEPS):
        unclicked = np.maximum(1 - attraction[:, None] * looked[None, :], 1e-12)
        attracted = clicked + missed * (attraction[:, None] * (1 - looked)[None, :]) / unclicked
        seen_by = clicked + missed * (looked[None, :] * (1 - attraction)[:, None]) / unclicked
        before = attraction
        attraction = (attracted.sum(axis=1) + mean) / (shown.sum(axis=1) + 1)
        looked = seen_by.sum(axis=0) / np.maximum(shown.sum(axis=0), 1)
        if float(np.abs(attraction - before).max()) < _EQUAL:
            break
    return attraction


def columns(judgments: Sequence[Judgment]) -> list[list[str]]:
    """Rows of a table that ``evaluate`` and ``calibrate`` read, with its header line."""
    head = ["query", "doc_id", "relevance", "attraction", "impressions", "clicks"]
    rows = [
        [one.query, one.document, *map(str, (one.grade, one.attraction, one.impressions, one.clicks))] for one in judgments
    ]
    return [head, *rows]
