"""Pages are cut from one order."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.search import page
from es_rerank.search.fusion import first_stage
from tests.builders import planned


@given(st.integers(0, 60), st.integers(1, 12))
def test_pages_are_disjoint_and_join_to_the_whole(hits: int, size: int) -> None:
    """Nothing twice, nothing lost."""
    order = first_stage(hits)
    joined = []
    for start in range(0, 72, size):
        joined += page.cut(planned({"from": start, "size": size}), order)
    assert joined == order


def test_a_widened_knn_search_gives_no_more_than_k() -> None:
    """However large the page."""
    plan = msgspec.structs.replace(planned({"from": 3, "size": 20}), client_k=5)
    assert [entry.place for entry in page.cut(plan, first_stage(30))] == [3, 4]
