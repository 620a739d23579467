"""An answer of ``_async_search`` → the search answer inside it, where that is final and kept nowhere.

An answer with an ``id`` is stored by Elasticsearch and will be fetched again by others than us, at the size that was
asked for: a widened one must not stay there. Does not ask for anything.
"""

from __future__ import annotations

from urllib.parse import quote

from es_rerank.errors import AnswerUnreadable
from es_rerank.search import spans
from es_rerank.search.spans import Span


def inside(data: bytes) -> Span | str:
    """Where the final answer stands; or the id under which Elasticsearch keeps one that is not (``""``: under none).

    Raises AnswerUnreadable for what is no answer of ``_async_search``.
    """
    try:
        top = spans.members(data)
        told = {name: spans.value(data, top[name].value) for name in ("id", "is_running", "is_partial") if name in top}
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        msg = f"not an answer of _async_search: {type(exc).__name__}"
        raise AnswerUnreadable(msg) from exc
    if "is_running" not in told or "is_partial" not in told:
        msg = "not an answer of _async_search"
        raise AnswerUnreadable(msg)
    if "id" not in told and told["is_running"] is False and told["is_partial"] is False and "response" in top:
        return top["response"].value
    return str(told.get("id", ""))


def target_of(identity: str) -> bytes:
    """The path of a kept search."""
    return b"/_async_search/" + quote(identity, safe="").encode()
