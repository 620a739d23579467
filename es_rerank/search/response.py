"""An order → the bytes of the answer. One exit for success and for fallback.

Every byte that is not meant to change is Elasticsearch's own: hits are moved as they are, and only ``_score`` (and
``_rank``, where an old engine wrote one), ``max_score``, ``took``, the total of a widened kNN search, an explanation
that was asked for and the fields that we had added are touched. Never adds a key (rule R10) but the one ``highlight``
entry that a policy asks for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from es_rerank.core.scores import shortest
from es_rerank.search import explanation, highlight, page, spans
from es_rerank.search.answer import FirstStage, Hit
from es_rerank.search.fusion import Ranked
from es_rerank.search.highlight import Notes
from es_rerank.search.plan import RerankPlan
from es_rerank.search.spans import Span


def rewrite(
    stage: FirstStage, plan: RerankPlan, order: Sequence[Ranked], added_ms: int, notes: Notes | None = None
) -> bytes:
    """Write the client's answer; ``order`` holds every hit that may be returned, best first."""
    data = stage.data
    edits: dict[Span, bytes] = {}
    shown = page.cut(plan, order)
    first_rank = plan.start + 1
    hits = [_hit(stage, plan, ranked, first_rank + step, notes or {}) for step, ranked in enumerate(shown)]
    edits[stage.inner["hits"].value] = _array(stage, hits)
    best = order[0].score if order else None
    if best is not None:
        edits |= _number(stage, stage.inner["max_score"].value, shortest(best)) if "max_score" in stage.inner else {}
    if "took" in stage.top:
        took = spans.value(data, stage.top["took"].value)
        edits[stage.top["took"].value] = b"%d" % (took + added_ms if isinstance(took, int) else added_ms)
    if plan.client_k is not None and "total" in stage.inner:
        edits |= _capped_total(data, stage.inner["total"].value, plan.client_k)
    if plan.counts_kept and not _is_fallback(order) and "total" in stage.inner:
        edits |= _capped_total(data, stage.inner["total"].value, len(order))
    return spans.replace(data, edits)


def _is_fallback(order: Sequence[Ranked]) -> bool:
    return bool(order) and order[0].score is None


def _number(stage: FirstStage, span: Span, text: str) -> dict[Span, bytes]:
    """Replace a number; ``null`` stays ``null`` (rule R11)."""
    return {} if stage.data[span[0] : span[1]] == b"null" else {span: text.encode()}


def _array(stage: FirstStage, hits: Sequence[bytes]) -> bytes:
    """Join hits with the blanks that the engine itself puts around them, so that ``?pretty`` stays pretty."""
    start, end = stage.inner["hits"].value
    if not stage.hits:
        return stage.data[start:end]
    spaced = stage.hits[0].span[0] - start > 1
    if not hits:
        return b"[ ]" if spaced else b"[]"
    opening = stage.data[start : stage.hits[0].span[0]]
    closing = stage.data[stage.hits[-1].span[1] : end]
    between = b","
    if len(stage.hits) > 1:
        between = stage.data[stage.hits[0].span[1] : stage.hits[1].span[0]]
    return opening + between.join(hits) + closing


def _hit(stage: FirstStage, plan: RerankPlan, ranked: Ranked, rank: int, notes: Notes) -> bytes:
    """One hit's bytes with its new score, without the fields that we had added."""
    hit = stage.hits[ranked.place]
    edits: dict[Span, bytes] = {}
    if ranked.score is not None:
        edits[hit.members["_score"].value] = shortest(ranked.score).encode()
        if "_rank" in hit.members:
            edits[hit.members["_rank"].value] = b"%d" % rank
    edits |= explanation.edits(stage, plan, hit, ranked)
    if ranked.place in notes:
        edits |= highlight.edits(stage, hit, *notes[ranked.place])
    if plan.added_fields:
        edits |= _without_added(stage, plan, hit)
    start, end = hit.span
    moved = {(left - start, right - start): new for (left, right), new in edits.items()}
    return spans.replace(stage.data[start:end], moved)


def _without_added(stage: FirstStage, plan: RerankPlan, hit: Hit) -> dict[Span, bytes]:
    """Take out what we asked for. Where the client wants no ``fields`` of its own, the whole of them is ours.

    On 8 and 9 a keyword over ``ignore_above`` arrives in ``ignored_field_values`` instead.
    """
    groups = frozenset(name for name in ("fields", "ignored_field_values") if name in hit.members)
    tree = plan.call.tree
    if not {"fields", "docvalue_fields", "script_fields", "collapse"} & tree.keys() and not _url_fields(plan):
        return spans.without(stage.data, hit.span, groups)
    added = frozenset(plan.added_fields)
    edits: dict[Span, bytes] = {}
    emptied = set()
    for name in groups:
        span = hit.members[name].value
        if spans.members(stage.data, span).keys() <= added:
            emptied.add(name)
        else:
            edits |= spans.without(stage.data, span, added)
    return edits | spans.without(stage.data, hit.span, frozenset(emptied))


def _url_fields(plan: RerankPlan) -> bool:
    """Whether URL parameters or the body's ``stored_fields`` bring ``fields`` of the client's own."""
    named = any(plan.call.parameter(name) for name in ("stored_fields", "docvalue_fields"))
    return named or "stored_fields" in plan.call.tree


def _capped_total(data: bytes, span: Span, most: int) -> dict[Span, bytes]:
    """``hits.total`` as the client's own ``k`` would have given it: a number, or an object with ``value``."""
    total = spans.value(data, span)
    if isinstance(total, int):
        return {span: b"%d" % most} if total > most else {}
    if isinstance(total, dict) and isinstance(total.get("value"), int) and total["value"] > most:
        members = spans.members(data, span)
        return {members["value"].value: b"%d" % most, members["relation"].value: msgspec.json.encode("eq")}
    return {}
