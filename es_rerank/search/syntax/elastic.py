"""Elastic's ``text_similarity_reranker`` as the outermost retriever → its inner retriever as a plain search.

A ``standard`` child becomes the body's ``query``, a ``knn`` child its ``knn``, so that engines without retrievers
understand them; any other child stays a retriever. ``filter`` goes down into the child. What Elasticsearch would refuse is
not translated, and neither is a child that decides or reranks by itself. Rules: ``docs/dialects/retriever.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from es_rerank.search import spans
from es_rerank.search.request import MAX_RESULT_WINDOW, SearchCall
from es_rerank.search.retriever import DEFAULT_RANK_WINDOW, nodes, window_limit
from es_rerank.search.syntax.translation import Reranker, Translation

_NAME = "text_similarity_reranker"
_LEFT_ALONE = frozenset({_NAME, "random_reranker", "pinned", "rule", "diversify"})
_NOT_BESIDE = frozenset(
    ["query", "knn", "sort", "search_after", "terminate_after", "rank", "rescore", "sub_searches", "min_score", "scroll"]
)
"""What Elasticsearch refuses beside a retriever, and ``min_score``, which would count for the new scores there."""

_TOKENS_A_WORD = 4 / 3
_CHUNK_WORDS = 300
"""``max_chunk_size`` where none is given."""


class _Chunking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Elasticsearch's chunking settings; sizes count words."""

    strategy: str = "sentence"
    max_chunk_size: Annotated[int, Meta(ge=20, le=6000)] = _CHUNK_WORDS
    sentence_overlap: Annotated[int, Meta(ge=0, le=1)] = 0
    overlap: Annotated[int, Meta(ge=0, le=3000)] = 0


class _Rescorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1, le=100)] = 1
    chunking_settings: _Chunking | None = None


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    retriever: dict[str, dict[str, Any]]
    field: Annotated[str, Meta(min_length=1)]
    inference_text: Annotated[str, Meta(min_length=1)]
    inference_id: str = ""
    rank_window_size: Annotated[int, Meta(ge=1, le=MAX_RESULT_WINDOW)] = DEFAULT_RANK_WINDOW
    min_score: float | None = None
    filter: dict[str, Any] | list[dict[str, Any]] = msgspec.field(default_factory=list)
    name: str | None = msgspec.field(default=None, name="_name")
    allow_rerank_failures: bool = False
    chunk_rescorer: _Rescorer | None = None


def translate(call: SearchCall) -> Translation | None:
    """Read a search; None: it holds no such retriever, or one that is not ours to execute."""
    asked = _asked(call)
    if asked is None or call.body is None:
        return None
    child = _child(asked)
    size = asked.rank_window_size if call.size is None else call.size
    if child is None or size > asked.rank_window_size or child.keys() & call.tree.keys() - {"retriever"}:
        return None
    shown = max(min(size, asked.rank_window_size - call.start), 0)
    top = spans.locate(call.body, ())
    rest = spans.replace(call.body, spans.without(call.body, top, frozenset({"retriever"})))
    page = {"from": call.start, "size": shown}
    body = spans.set_members(rest, (), {name: msgspec.json.encode(value) for name, value in {**child, **page}.items()})
    chunks = None if asked.chunk_rescorer is None else _chunks(asked.chunk_rescorer)
    reranker = Reranker(asked.rank_window_size, asked.field, asked.min_score, chunks)
    return Translation(call, body, frozenset({"from", "size"}), asked.inference_text, reranker=reranker)


def _asked(call: SearchCall) -> _Body | None:
    """The retriever's body, where it is well formed and may be executed here."""
    given = call.tree.get("retriever")
    if call.held_in != "body" or not isinstance(given, dict) or list(given) != [_NAME]:
        return None
    if _NOT_BESIDE & call.tree.keys() or any(call.parameter(name) is not None for name in ("q", "sort", "scroll")):
        return None
    try:
        return msgspec.convert(given[_NAME], _Body)
    except msgspec.ValidationError:
        return None


def _child(asked: _Body) -> dict[str, Any] | None:
    """The inner retriever as members of a search body."""
    names = [name for name, _ in nodes(asked.retriever)]
    if len(asked.retriever) != 1 or not names or _LEFT_ALONE & set(names):
        return None
    name, body = names[0], dict(asked.retriever[names[0]])
    filters = [*_listed(body.pop("filter", [])), *_listed(asked.filter)]
    body.pop("_name", None)
    if name == "standard":
        return _standard(body, filters)
    if name == "knn":
        least = {"min_score": body.pop("min_score")} if "min_score" in body else {}
        return {"knn": {**body, **({"filter": filters} if filters else {})}, **least}
    limit = window_limit({"retriever": asked.retriever})
    if limit is not None and limit < asked.rank_window_size:
        return None
    return {"retriever": {name: {**body, **({"filter": filters} if filters else {})}}}


def _standard(body: dict[str, Any], filters: Sequence[object]) -> dict[str, Any] | None:
    """Query and filters as one query; None for a child that sorts or stops early."""
    query = body.pop("query", {"match_all": {}})
    if body.keys() - {"min_score", "collapse"}:
        return None
    return {"query": {"bool": {"must": [query], "filter": filters}} if filters else query, **body}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _chunks(asked: _Rescorer) -> dict[str, int]:
    """Keys of a passage policy that come nearest: words are taken as tokens by the usual ratio."""
    settings = asked.chunking_settings or _Chunking()
    overlap = settings.overlap if settings.strategy == "word" else settings.sentence_overlap * 20
    return {
        "passage_tokens": min(round(settings.max_chunk_size * _TOKENS_A_WORD), 8192),
        "stride": min(round(overlap * _TOKENS_A_WORD), 4096),
        "max_passages": asked.size,
    }
