"""Who reads a search: what the policy allows, OpenSearch's words before Elastic's."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.policy import SyntaxPolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.syntax import decide, translate
from tests.builders import call, policy, resolved

INNER = {"retriever": {"standard": {"query": {"match": {"t": "a"}}}}, "field": "text", "inference_text": "words"}
RETRIEVER: dict[str, Any] = {"retriever": {"text_similarity_reranker": INNER}}
CONTEXT: dict[str, Any] = {"query": {"match": {"t": "a"}}, "ext": {"rerank": {"query_context": {"query_text": "words"}}}}


@pytest.mark.parametrize(
    ("body", "allowed", "understood"),
    [
        (RETRIEVER, SyntaxPolicy(text_similarity_reranker=True), True),
        (RETRIEVER, SyntaxPolicy(query_context=True, pipelines=("p",)), False),
        (RETRIEVER, SyntaxPolicy(query_context=True, text_similarity_reranker=True), True),
        (CONTEXT, SyntaxPolicy(query_context=True), True),
        (CONTEXT, SyntaxPolicy(text_similarity_reranker=True), False),
        (CONTEXT, SyntaxPolicy(), False),
    ],
)
def test_what_is_allowed(body: dict[str, Any], allowed: SyntaxPolicy, understood: bool) -> None:
    """Each by its own key."""
    found = translate(call(body), allowed)
    assert (found is not None) == understood
    assert found is None or found.query == "words"


def test_decide() -> None:
    """Translated where it is for us, planned as ever where not; a refusal by header keeps the translation."""
    mine = resolved(policy(syntax=SyntaxPolicy(text_similarity_reranker=True)))
    translated, planned = decide(call(RETRIEVER), mine, Control())
    assert translated is not None
    assert isinstance(planned, RerankPlan)
    assert planned.query == "words"
    translated, planned = decide(call(RETRIEVER), mine, Passthrough(Reason.MODE_OFF))
    assert translated is not None
    assert planned == Passthrough(Reason.MODE_OFF)
    assert decide(call(RETRIEVER), resolved(), Control()) == (None, Passthrough(Reason.ALREADY_RERANKED))
    translated, planned = decide(call({"query": {"match": {"t": "a"}}}), mine, Control())
    assert translated is None
    assert isinstance(planned, RerankPlan)


def test_decide_on_what_cannot_be_read() -> None:
    """The client's own no counts before it."""
    unread, off = Passthrough(Reason.NOT_JSON), Passthrough(Reason.MODE_OFF)
    assert decide(unread, resolved(), Control()) == (None, unread)
    assert decide(unread, resolved(), off) == (None, off)
