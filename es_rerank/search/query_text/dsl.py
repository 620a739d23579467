"""The walk over query DSL: which clauses hold the words of a person.

Schema: ``QueryDslQueryContainer`` of elastic/elasticsearch-specification. Texts come in document order. Clauses that
are exact (``term``, ``range``, ``ids``, …), filters and ``must_not`` hold none; unknown clauses hold none either. Does not
raise on malformed queries: Elasticsearch refuses them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from es_rerank.core.patterns import matches
from es_rerank.search.query_text.lucene import query_string, simple_query_string

_MAX_DEPTH = 60
_MAX_CLAUSES = 4_096
"""Of one search; Elasticsearch itself takes 1,024 in a ``bool`` where nobody allowed more."""


def builder_text(builder: object) -> list[str]:
    """Text that a ``query_vector_builder`` embeds: ``text_embedding.model_text`` or ``embedding.input``."""
    if not isinstance(builder, dict):
        return []
    found = []
    for name, key in (("text_embedding", "model_text"), ("embedding", "input")):
        body = builder.get(name)
        text = body.get(key) if isinstance(body, dict) else None
        if isinstance(text, dict) and text.get("type") in {None, "text"}:
            text = text.get("value")
        if isinstance(text, str):
            found.append(text)
    return found


def _said(value: object) -> list[str]:
    """A text as ``objectText`` of Elasticsearch's parser reads it: strings, numbers and booleans."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (str, int, float)):
        return [str(value)]
    return []


class Walk:
    """One walk: ``ignored`` are patterns of fields whose clauses say nothing; filters count only if asked for."""

    def __init__(self, ignored: tuple[str, ...], *, use_filters: bool) -> None:
        """Fix what the walk looks at."""
        self.ignored = ignored
        self.use_filters = use_filters
        self._depth = 0
        self._left = _MAX_CLAUSES

    def texts(self, query: object) -> list[str]:
        """All texts of a query (an object) or of several (a list), in document order; of very many clauses the first."""
        if self._depth > _MAX_DEPTH or self._left <= 0:
            return []
        self._depth += 1
        self._left -= 1
        try:
            return list(self._walked(query))
        finally:
            self._depth -= 1

    def _walked(self, query: object) -> Iterator[str]:
        if isinstance(query, list):
            for part in query[: self._left]:
                yield from self.texts(part)
        elif isinstance(query, dict):
            for name, body in query.items():
                reader = _READERS.get(name)
                if reader is not None and isinstance(body, dict):
                    yield from reader(self, body)

    def ignores(self, field: str) -> bool:
        """Whether the policy says that this field (a boost behind ``^`` aside) says nothing."""
        return any(matches(pattern, field.partition("^")[0]) for pattern in self.ignored)


_Reader = Callable[[Walk, dict[str, Any]], list[str]]


def _by_field(key: str) -> _Reader:
    """``{field: text}`` or ``{field: {key: text}}``."""

    def read(walk: Walk, body: dict[str, Any]) -> list[str]:
        found = []
        for field, value in body.items():
            if not walk.ignores(field):
                found += _said(value.get(key) if isinstance(value, dict) else value)
        return found

    return read


def _inner(*keys: str) -> _Reader:
    """A clause around other queries, at these keys in this order."""

    def read(walk: Walk, body: dict[str, Any]) -> list[str]:
        return [text for key in keys for text in walk.texts(body.get(key))]

    return read


def _fields(body: dict[str, Any]) -> list[str]:
    """The fields of a query over several; one field may stand without a list."""
    given = body.get("fields", body.get("field", []))
    return [field for field in (given if isinstance(given, list) else [given]) if isinstance(field, str)]


def _over_fields(read: Callable[[Walk, str], list[str]]) -> _Reader:
    """``{query: text, fields: […]}``, nothing where all its fields are ignored."""

    def reader(walk: Walk, body: dict[str, Any]) -> list[str]:
        fields = _fields(body)
        if fields and all(walk.ignores(field) for field in fields):
            return []
        return [word for text in _said(body.get("query")) for word in read(walk, text)]

    return reader


def _bool(walk: Walk, body: dict[str, Any]) -> list[str]:
    """``must`` and ``should``, as they stand; ``filter`` only in a walk that uses filters; ``must_not`` never."""
    counted = {"must", "should", "filter"} if walk.use_filters else {"must", "should"}
    return [text for key, value in body.items() if key in counted for text in walk.texts(value)]


def _intervals(walk: Walk, body: dict[str, Any]) -> list[str]:
    return [text for field, rule in body.items() if not walk.ignores(field) for text in _interval(rule, 0)]


def _interval(rule: object, depth: int) -> list[str]:
    """``match``, ``all_of`` in its order, the first of ``any_of`` that says something."""
    if not isinstance(rule, dict) or depth > _MAX_DEPTH:
        return []
    match, every, either = (rule.get(name) for name in ("match", "all_of", "any_of"))
    if isinstance(match, dict):
        return _said(match.get("query"))
    if isinstance(every, dict) and isinstance(every.get("intervals"), list):
        words = [text for inner in every["intervals"] for text in _interval(inner, depth + 1)]
        return [" ".join(words)] if words else []
    if isinstance(either, dict) and isinstance(either.get("intervals"), list):
        return next((found for inner in either["intervals"] if (found := _interval(inner, depth + 1))), [])
    return []


def _span_near(walk: Walk, body: dict[str, Any]) -> list[str]:
    """The words of its clauses, in order, are one text."""
    words = walk.texts(body.get("clauses"))
    return [" ".join(words)] if words else []


def _span_or(walk: Walk, body: dict[str, Any]) -> list[str]:
    return walk.texts(body.get("clauses"))[:1]


def _wrapper(walk: Walk, body: dict[str, Any]) -> list[str]:
    """A query as base64 of JSON."""
    try:
        return walk.texts(msgspec.json.decode(base64.b64decode(body.get("query", ""), validate=True)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return []


def _more_like_this(walk: Walk, body: dict[str, Any]) -> list[str]:
    """Only given text; documents to be like are looked up by Elasticsearch."""
    fields = _fields(body)
    if fields and all(walk.ignores(field) for field in fields):
        return []
    like = body.get("like")
    return [text for text in (like if isinstance(like, list) else [like]) if isinstance(text, str)]


def _rule(walk: Walk, body: dict[str, Any]) -> list[str]:
    """``organic``, else any string among the criteria."""
    criteria = body.get("match_criteria")
    spare = [text for text in criteria.values() if isinstance(text, str)] if isinstance(criteria, dict) else []
    return walk.texts(body.get("organic")) or spare


_match = _by_field("query")
_plain = _over_fields(lambda _walk, text: [text])

_READERS: dict[str, _Reader] = {
    "match": _match,
    "match_phrase": _match,
    "match_phrase_prefix": _match,
    "match_bool_prefix": _match,
    "common": _match,
    "text_expansion": _by_field("model_text"),
    "span_term": _by_field("value"),
    "multi_match": _plain,
    "combined_fields": _plain,
    "semantic": _plain,
    "sparse_vector": _plain,
    "query_string": _over_fields(lambda walk, text: query_string(text, walk.ignored)),
    "simple_query_string": _over_fields(lambda _walk, text: simple_query_string(text)),
    "intervals": _intervals,
    "knn": lambda _walk, body: builder_text(body.get("query_vector_builder")),
    "bool": _bool,
    "dis_max": _inner("queries"),
    "boosting": _inner("positive"),
    "constant_score": _inner("filter"),
    "function_score": _inner("query"),
    "script_score": _inner("query"),
    "nested": _inner("query"),
    "has_child": _inner("query"),
    "has_parent": _inner("query"),
    "pinned": _inner("organic"),
    "rule": _rule,
    "rule_query": _rule,
    "wrapper": _wrapper,
    "more_like_this": _more_like_this,
    "span_near": _span_near,
    "span_or": _span_or,
    "span_first": _inner("match"),
    "span_multi": _inner("match"),
    "span_not": _inner("include"),
    "span_containing": _inner("big"),
    "span_within": _inner("little"),
    "span_field_masking": _inner("query"),
    "field_masking_span": _inner("query"),
}
