"""The best passage of a document as an entry of its hit's ``highlight``, where a policy asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from es_rerank.search import spans
from es_rerank.search.answer import FirstStage, Hit
from es_rerank.search.long_text import Judged
from es_rerank.search.passage import policies_of
from es_rerank.search.plan import RerankPlan
from es_rerank.search.spans import Span

Notes = Mapping[int, tuple[str, str]]
"""Place of a hit in the first stage → name and text of its entry."""


def highlights(plan: RerankPlan, stage: FirstStage, texts: Sequence[str], judged: Sequence[Judged]) -> Notes:
    """What the policies of the hits want shown: the best passage, or the whole text where it is one passage."""
    if not any(policy.highlight for policy in plan.resolved.passages):
        return {}
    found = {}
    for place, (one, policy) in enumerate(zip(judged, policies_of(stage, len(judged), plan.resolved), strict=True)):
        if policy is not None and policy.highlight is not None and one.logit is not None:
            start, end = one.best or (0, len(texts[place]))
            found[place] = (policy.highlight, texts[place][start:end].strip())
    return found


def edits(stage: FirstStage, hit: Hit, name: str, text: str) -> dict[Span, bytes]:
    """Put the entry into the hit: beside the client's own, in place of an equal name, or as the only one."""
    entry = msgspec.json.encode([text])
    if "highlight" not in hit.members:
        end = hit.span[1] - 1
        return {(end, end): b',"highlight":' + msgspec.json.encode({name: [text]})}
    span = hit.members["highlight"].value
    present = spans.members(stage.data, span)
    if name in present:
        return {present[name].value: entry}
    end = span[1] - 1
    return {(end, end): (b"," if present else b"") + msgspec.json.encode(name) + b":" + entry}
