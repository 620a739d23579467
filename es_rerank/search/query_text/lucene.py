"""Lucene's query syntax → the words in it.

``query_string`` knows fields, groups, phrases, ranges, regular expressions, wildcards and operators;
``simple_query_string`` only ``+ | - " * ( ) ~``. What is negated is dropped. A bare term behind a field name
(``lang:en``) is a keyword, not speech: it counts only where nothing else is said. Does not refuse broken syntax;
Elasticsearch does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from es_rerank.core.patterns import matches

MAX_CHARACTERS = 10_000
"""Of one text that are read: the model sees a thousand at most."""

_FULL = re.compile(
    r"""(?P<blank>\s+)
    | (?P<phrase>"(?:\\.|[^"\\])*"?)
    | (?P<regex>/(?:\\.|[^/\\])+/)
    | (?P<range>[\[{][^\[\]{}]*[\]}])
    | (?P<open>\() | (?P<close>\))
    | (?P<suffix>[~^][0-9.]*)
    | (?P<operator>&&|\|\|)
    | (?P<sign>[-+!])
    | (?P<field>(?:\\.|[^\s:()\[\]{}"~^\\])+:)
    | (?P<term>(?:\\.|[^\s:()\[\]{}"~^\\])+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SIMPLE = re.compile(
    r"""(?P<blank>\s+)
    | (?P<phrase>"(?:\\.|[^"\\])*"?)
    | (?P<open>\() | (?P<close>\))
    | (?P<suffix>~[0-9]*)
    | (?P<operator>\|)
    | (?P<sign>[-+])
    | (?P<term>(?:\\.|[^\s()"|~\\])+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class _Reading(msgspec.Struct):
    """What has been read: words that are spoken, keywords behind fields, and the groups still open."""

    spoken: list[str] = []
    keywords: list[str] = []
    groups: list[bool] = []
    negated: bool = False
    field: str | None = None

    def say(self, text: str, *, bare: bool) -> None:
        """Take words in, unless they or a group around them are negated."""
        if not (self.negated or any(self.groups)) and self.field != "_exists_":
            (self.keywords if bare and self.field is not None else self.spoken).append(text)
        self.forget()

    def forget(self) -> None:
        """A clause has ended: its sign and its field end with it."""
        self.negated, self.field = False, None


def query_string(text: str, ignored: Sequence[str] = ()) -> list[str]:
    """The words of a ``query_string`` query or of URL ``q``; ``ignored`` are patterns of fields that say nothing."""
    return _words(_FULL, text, ignored)


def simple_query_string(text: str) -> list[str]:
    """The words of a ``simple_query_string`` query."""
    return _words(_SIMPLE, text, ())


def _words(syntax: re.Pattern[str], text: str, ignored: Sequence[str]) -> list[str]:
    reading = _Reading()
    for piece in syntax.finditer(text[:MAX_CHARACTERS]):
        _take(reading, piece.lastgroup or "other", piece[0], ignored)
    words = reading.spoken or reading.keywords
    joined = " ".join(word for word in words if word.strip())
    return [joined] if joined else []


def _take(reading: _Reading, kind: str, piece: str, ignored: Sequence[str]) -> None:
    """Move on by one piece."""
    if kind == "sign":
        reading.negated = piece in "-!"
    elif kind == "field":
        reading.field = _ESCAPED.sub(r"\1", piece[:-1])
        reading.negated = reading.negated or any(matches(pattern, reading.field) for pattern in ignored)
    elif kind == "open":
        reading.groups.append(reading.negated)
        reading.forget()
    elif kind == "close":
        if reading.groups:
            reading.groups.pop()
        reading.forget()
    elif kind == "phrase":
        reading.say(_ESCAPED.sub(r"\1", piece.strip('"')), bare=False)
    elif kind == "term":
        _term(reading, piece)
    elif kind in {"regex", "range"}:
        reading.forget()


def _term(reading: _Reading, piece: str) -> None:
    """A bare term: an operator word, or a word with its wildcards taken off."""
    if piece == "NOT":
        reading.negated = True
    elif piece not in {"AND", "OR"}:
        plain = re.sub(r"(?<!\\)[*?]", "", piece)
        reading.say(_ESCAPED.sub(r"\1", plain), bare=True)
