"""What a quantiser is shown."""

from __future__ import annotations

from es_rerank.scoring.calibration import PAIRS


def test_related_and_unrelated_in_two_scripts() -> None:
    """Each query has a passage that answers it and one that does not."""
    queries = [query for query, _ in PAIRS]
    assert sum(queries.count(query) == 2 for query in set(queries)) >= 9
    assert 0.2 < sum(not query.isascii() for query in queries) / len(queries) < 0.5
