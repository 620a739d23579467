"""``explain``: what the model gave a hit, around what Elasticsearch gave it.

The shape is Lucene's (``value``, ``description``, ``details``), so that clients read it as they read any explanation.
"""

from __future__ import annotations

import math

import msgspec

from es_rerank.core.scores import shortest
from es_rerank.search.answer import FirstStage, Hit
from es_rerank.search.fusion import Ranked
from es_rerank.search.plan import RerankPlan
from es_rerank.search.spans import Span

_MEMBER = "_explanation"
_HOW = {
    "replace": "{activation} of the model's logit",
    "weighted": "weighted sum of the model's score and Elasticsearch's",
    "rrf": "reciprocal rank fusion of the model's order and Elasticsearch's",
}


def edits(stage: FirstStage, plan: RerankPlan, hit: Hit, ranked: Ranked) -> dict[Span, bytes]:
    """Wrap a hit's explanation; nothing to do where there is none, or where Elasticsearch's own score stays."""
    if _MEMBER not in hit.members or ranked.score is None:
        return {}
    span = hit.members[_MEMBER].value
    own = stage.data[span[0] : span[1]]
    first = _entry(shortest(hit.score), f"first stage, place {ranked.place + 1}, as Elasticsearch explains it:", own)
    if ranked.logit is None or not math.isfinite(ranked.logit):
        said = "second stage: without a score of the model, falls below the scored hits as Elasticsearch's scores fall:"
        return {span: _entry(shortest(ranked.score), said, first)}
    fusion, activation = plan.policy.fusion.method, plan.policy.score.activation
    how = _HOW[fusion].format(activation=activation)
    logit = _entry(repr(ranked.logit), f"the model's logit for [{plan.query}] and the hit's text", b"")
    return {span: _entry(shortest(ranked.score), f"second stage, {how}:", logit + b"," + first)}


def _entry(value: str, description: str, details: bytes) -> bytes:
    said = msgspec.json.encode(description)
    return b'{"value":' + value.encode() + b',"description":' + said + b',"details":[' + details + b"]}"
