"""The order of all hits → the hits of the client's page.

Every page is cut from the same order (rule R7), so pages are disjoint and join to the full ranking. Does not rank.
"""

from __future__ import annotations

from collections.abc import Sequence

from es_rerank.search.fusion import Ranked
from es_rerank.search.plan import RerankPlan


def cut(plan: RerankPlan, order: Sequence[Ranked]) -> list[Ranked]:
    """The page; a widened kNN search gives no more hits than the client's ``k``."""
    return list(order[: plan.client_k][plan.start : plan.start + plan.size])
