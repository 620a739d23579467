"""Reranking asked for in an engine's own words → a search that every engine understands, and what was asked of us.

Only what a policy's ``syntax`` allows is read, and only where it is well formed: everything else is left as it is, so
that the engine answers with its own result or its own error. A translated search takes the original's place for good:
whatever happens to the second stage, its first stage is what the client gets.
"""

from __future__ import annotations

from es_rerank.core.policy import SyntaxPolicy
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import Resolved
from es_rerank.search import plan
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.request import SearchCall
from es_rerank.search.syntax import elastic, opensearch
from es_rerank.search.syntax.translation import Translation, with_body

__all__ = ["Translation", "decide", "translate", "with_body"]


def decide(
    call: SearchCall | Passthrough, resolved: Resolved, control: Control | Passthrough, reach: int = 0
) -> tuple[Translation | None, RerankPlan | Passthrough]:
    """Plan a search, in whatever words it asks; a translation counts where the search passes through, too.

    Of two reasons to pass it through the client's own counts. ``reach`` as in :func:`es_rerank.search.plan.decide`.
    """
    if isinstance(call, Passthrough):
        return None, control if isinstance(control, Passthrough) else call
    translated = translate(call, resolved.lead.syntax)
    if isinstance(control, Passthrough):
        return translated, control
    if translated is None:
        return None, plan.decide(call, resolved, control, reach)
    return translated, translated.decide(resolved, control, reach)


def translate(call: SearchCall, allowed: SyntaxPolicy) -> Translation | None:
    """Read what a search asks for; None: nothing that is for us."""
    found = opensearch.translate(call, allowed) if allowed.query_context or allowed.pipelines else None
    if found is None and allowed.text_similarity_reranker:
        return elastic.translate(call)
    return found
