"""First-stage scores and logits → one order of the window.

Orders are made on logits or fused values, ties keep the first-stage order, and only then values become scores. Hits
without a logit stand below the scored ones in first-stage order, or in their own places where the policy says so.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009. Does not cut pages.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from es_rerank.core.policy import FusionPolicy
from es_rerank.core.scores import ACTIVATIONS, NORMALISERS, falling
from es_rerank.search.plan import RerankPlan


class Ranked(msgspec.Struct, frozen=True):
    """One hit in its new place. ``place`` is its place in the first stage, from 0.

    ``score`` None: the hit keeps Elasticsearch's own; ``logit`` None: the model did not score it.
    """

    place: int
    score: float | None = None
    logit: float | None = None


def first_stage(count: int) -> list[Ranked]:
    """Elasticsearch's own order of ``count`` hits, scores included."""
    return [Ranked(place) for place in range(count)]


def rank(
    plan: RerankPlan,
    first: Sequence[float],
    logits: Sequence[float | None],
    textless: frozenset[int] = frozenset(),
    held: int = 0,
) -> list[Ranked]:
    """Order all hits: those that are ``held`` at the head, the rest of the window by fusion, then the tail.

    ``first`` holds the own score of every hit in first-stage order, ``logits`` those of the window, ``textless`` the
    places in it that have no text. ``min_score`` counts only where every hit with text was scored.
    """
    scored = {place: logit for place, logit in enumerate(logits) if logit is not None and place >= held}
    activate = ACTIVATIONS[plan.policy.score.activation]
    activated = {place: activate(logit) for place, logit in scored.items()}
    values = _fused(plan.policy.fusion, scored, activated, first)
    order = sorted(scored, key=lambda place: (-values[place], place))
    unscored = [place for place in range(held, len(logits)) if place not in scored]
    tail = list(range(max(held, len(logits)), len(first)))
    least = plan.policy.min_score
    if least is not None and textless.issuperset(unscored):
        order, tail = [place for place in order if activated[place] >= least], []
    places = [*range(held), *_with_unscored(plan, order, unscored, textless, held), *tail]
    shown = activated if plan.policy.fusion.method == "replace" else values
    scores = falling([(shown.get(place), first[place]) for place in places])
    ranked = zip(places, scores, strict=True)
    return [Ranked(place, None if place < held else score, scored.get(place)) for place, score in ranked]


def _fused(
    fusion: FusionPolicy, scored: dict[int, float], activated: dict[int, float], first: Sequence[float]
) -> dict[int, float]:
    """One value for each scored place; larger is better."""
    if fusion.method == "replace":
        return scored
    share = fusion.weight
    if fusion.method == "weighted":
        normalise = NORMALISERS[fusion.normaliser]
        model = normalise(list(activated.values()))
        own = normalise([first[place] for place in activated])
    else:
        order = sorted(scored, key=lambda place: (-scored[place], place))
        ranks = {place: rank for rank, place in enumerate(order, 1)}
        model = [1 / (fusion.rank_constant + ranks[place]) for place in scored]
        own = [1 / (fusion.rank_constant + rank) for rank in range(1, len(scored) + 1)]
    pairs = zip(model, own, strict=True)
    return dict(zip(scored, (share * mine + (1 - share) * theirs for mine, theirs in pairs), strict=True))


def _with_unscored(
    plan: RerankPlan, order: list[int], unscored: list[int], textless: frozenset[int], held: int
) -> list[int]:
    """Join scored and unscored places of the window; hits without text may keep theirs, all others go below."""
    if plan.resolved.lead.passage.missing == "below":
        return order + unscored
    joined = list(order)
    for place in unscored:
        if place in textless:
            joined.insert(min(place - held, len(joined)), place)
    return joined + [place for place in unscored if place not in textless]
