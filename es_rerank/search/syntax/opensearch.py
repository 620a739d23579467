"""OpenSearch's ``ext.rerank.query_context`` and ``search_pipeline`` → the search without them, and the query text.

A pipeline that a policy names is ours: naming it asks for the second stage, ``_none`` declines it. Any other is the
engine's own and stays. ``query_text_path`` leads into the request's own body. Rules: ``docs/dialects/opensearch.md``.
"""

from __future__ import annotations

from typing import Any

from es_rerank.core.policy import SyntaxPolicy
from es_rerank.search import spans
from es_rerank.search.query_text import at
from es_rerank.search.request import SearchCall
from es_rerank.search.route import MANY
from es_rerank.search.syntax.translation import Translation

_PIPELINE = "search_pipeline"
_NONE = "_none"


def translate(call: SearchCall, allowed: SyntaxPolicy) -> Translation | None:
    """Read a search; None: it says nothing of the kind, or nothing that can be read."""
    inside = call.tree.get(_PIPELINE)
    named = None if call.route.endpoint in MANY else call.parameter(_PIPELINE)  # there it counts for all of them
    pipeline = inside if named is None else named
    ours = bool(allowed.pipelines) and pipeline in (*allowed.pipelines, _NONE)
    context = _context(call) if allowed.query_context else None
    if (not ours and context is None) or (call.held_in == "source" and (context is not None or inside is not None)):
        return None
    body = call.body
    if body is not None and ours and inside is not None:
        body = _less(body, (), _PIPELINE)
    if body is not None and context is not None:
        body = _less(body, ("ext",), "rerank") if len(call.tree["ext"]) > 1 else _less(body, (), "ext")
    return Translation(
        call,
        None if body == call.body else body,
        frozenset({_PIPELINE}) if ours and named is not None else frozenset(),
        context,
        off=ours and pipeline == _NONE,
    )


def _context(call: SearchCall) -> str | None:
    """The query text; None where there is no ``query_context``, or a malformed one."""
    ext = call.tree.get("ext")
    rerank = ext.get("rerank") if isinstance(ext, dict) else None
    context = rerank.get("query_context") if isinstance(rerank, dict) and list(rerank) == ["query_context"] else None
    if not isinstance(context, dict) or len(context) != 1:
        return None
    return _text(call.tree, context)


def _text(tree: dict[str, Any], context: dict[str, Any]) -> str | None:
    (name, value), *_ = context.items()
    if not isinstance(value, str) or name not in {"query_text", "query_text_path"}:
        return None
    found = value if name == "query_text" else at(tree, value)
    return found if found and found.strip() else None


def _less(body: bytes, path: spans.Path, name: str) -> bytes:
    """The body without one member of the object at ``path``."""
    return spans.replace(body, spans.without(body, spans.locate(body, path), frozenset({name})))
