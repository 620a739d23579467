"""Measures of one ranked list against judgments, by ir-measures: one value for each query.

Names are ir-measures' own, ``nDCG@10`` or ``RBP(rel=1,p=0.8)``. A query without hits counts with the measure's least value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from es_rerank.errors import EsRerankError
from es_rerank.evaluation.collections import Judgments

DEFAULT = ("nDCG@10", "RR@10", "AP@100", "P@10", "R@100", "RBP(rel=1,p=0.8)", "ERR@10", "Judged@10")

Run = Mapping[str, Sequence[str]]
"""Document ids, best first, by query id."""

Values = dict[str, dict[str, float]]
"""A value by measure and query id; every judged query is there."""


class MeasureFault(EsRerankError):
    """A measure that is not known, or cannot be had here."""


def parsed(names: Sequence[str]) -> list[str]:
    """Check names, and give them as they print; raises MeasureFault, also where ir-measures is not installed."""
    try:
        import ir_measures  # noqa: PLC0415  an extra
    except ImportError as exc:
        raise MeasureFault("measures need more packages: pip install 'es-rerank[evaluation]'") from exc
    found = []
    for name in names:
        try:
            found.append(str(ir_measures.parse_measure(name)))
        except (NameError, ValueError) as exc:
            raise MeasureFault(f"{name}: not a measure that ir-measures knows; nDCG@10 and RR@10 are") from exc
    return found


def values(run: Run, judgments: Judgments, names: Sequence[str]) -> Values:
    """Measure a run; raises MeasureFault.

    Queries are numbered for the calculation, since one of the programs behind ir-measures takes numbers only.
    """
    import ir_measures  # noqa: PLC0415  an extra

    numbers = {query: str(number) for number, query in enumerate(judgments, 1)}
    queries = {number: query for query, number in numbers.items()}
    grades = {numbers[query]: of for query, of in judgments.items()}
    ranked = {numbers[query]: scored(run[query]) for query in judgments if run.get(query)}
    found: Values = {name: dict.fromkeys(judgments, 0.0) for name in names}
    for name in names:
        try:
            for entry in ir_measures.iter_calc([ir_measures.parse_measure(name)], grades, ranked):
                found[name][queries[entry.query_id]] = float(entry.value)
        except (ValueError, OSError, RuntimeError) as exc:
            raise MeasureFault(f"{name}: cannot be measured here: {exc}") from exc
    return found


def scored(documents: Sequence[str]) -> dict[str, float]:
    """A strictly falling score made from the rank: equal ones would be sorted by document id, as trec_eval does."""
    return {document: float(len(documents) - place) for place, document in enumerate(documents)}
