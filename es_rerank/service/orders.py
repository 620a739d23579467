"""The order of one search's hits: by one plan, or drafted from the orders of several variants.

Asks the second stage; what it does not score keeps Elasticsearch's order. Does not write answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.core.reasons import Disposition, Outcome
from es_rerank.core.scores import falling
from es_rerank.experiment import interleaving
from es_rerank.search import fusion, pinned
from es_rerank.search.answer import FirstStage
from es_rerank.search.fusion import Ranked
from es_rerank.search.highlight import Notes, highlights
from es_rerank.search.plan import RerankPlan
from es_rerank.service.second_stage import Judgement, SecondStage

_USABLE = frozenset({Outcome.RERANKED, Outcome.PARTIAL})


class Ordered(msgspec.Struct, frozen=True):
    """Every hit that may be returned, best first, and how that came about.

    ``teams``: of an interleaved list, each variant's own order as places of the first stage; ``drafted``: who drafted a
    place.
    """

    order: Sequence[Ranked]
    made: Judgement
    notes: Notes = {}
    teams: Mapping[str, Sequence[int]] = {}
    drafted: Mapping[int, str] = {}


async def order(second: SecondStage, planned: RerankPlan, stage: FirstStage, deadline: float) -> Ordered:
    """Rank the hits as the plan says."""
    if planned.teams:
        return await _interleaved(second, planned, stage, deadline)
    texts, made = await second.judge(planned, stage, deadline)
    if made.disposition.outcome not in _USABLE:
        return Ordered(fusion.first_stage(len(stage.hits)), made, highlights(planned, stage, texts, made.judged))
    ranked = _ranked(planned, stage, texts, made)
    return Ordered(ranked, made, highlights(planned, stage, texts, made.judged))


def _ranked(planned: RerankPlan, stage: FirstStage, texts: Sequence[str], made: Judgement) -> list[Ranked]:
    own = [hit.score for hit in stage.hits]
    held = pinned.held(stage, planned.pins) if planned.pins else 0
    textless = frozenset(place for place, text in enumerate(texts) if not text)
    return fusion.rank(planned, own, [found.logit for found in made.judged], textless, held)


async def _interleaved(second: SecondStage, planned: RerankPlan, stage: FirstStage, deadline: float) -> Ordered:
    """Draft a list from all variants' orders; one that cannot be had leaves Elasticsearch's, so that nobody drafts alone."""
    judged = await asyncio.gather(*(second.judge(team, stage, deadline) for team in planned.teams.values()))
    made = _joined([made for _, made in judged])
    given = planned.assignment
    if made.disposition.outcome not in _USABLE or given is None:
        return Ordered(fusion.first_stage(len(stage.hits)), made)
    orders: dict[str, list[int]] = {}
    for (name, team), (texts, own) in zip(planned.teams.items(), judged, strict=True):
        orders[name] = [ranked.place for ranked in _ranked(team, stage, texts, own)]
    if given.experiment.weights[CONTROL] > 0:
        orders[CONTROL] = list(range(len(stage.hits)))
    held = pinned.held(stage, planned.pins) if planned.pins else 0
    window = {name: [place for place in places[: planned.window] if place >= held] for name, places in orders.items()}
    seed = interleaving.seed_of(given.experiment.id, given.unit, planned.query, window)
    drafted = dict(interleaving.draft(window, seed))
    known = set(range(held)) | set(drafted)
    tail = sorted({place for places in orders.values() for place in places} - known)
    places = [*range(held), *drafted, *tail]
    scores = falling([(None, stage.hits[place].score) for place in places])
    ranked = [Ranked(place, score) for place, score in zip(places, scores, strict=True)]
    return Ordered(ranked, made, teams=orders, drafted=drafted)


def _joined(made: Sequence[Judgement]) -> Judgement:
    """What is said of all teams together: the worst of their outcomes, the longest of their times."""
    rank = [Outcome.RERANKED, Outcome.PARTIAL, Outcome.PASSED_THROUGH, Outcome.FELL_BACK]
    worst = max(made, key=lambda one: rank.index(one.disposition.outcome))
    disposition = worst.disposition
    scored = [one.disposition.scored or 0 for one in made]
    whole = Disposition(disposition.outcome, disposition.reason, disposition.window, min(scored), disposition.truncated)
    return Judgement(
        (),
        whole,
        max(one.queue_s for one in made),
        max(one.model_s for one in made),
        next((m.error for m in made if m.error), ""),
    )
