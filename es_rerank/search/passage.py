"""Hits → passages: the text that the model reads, from the fields that the policy of the hit's index names.

A path may be spelt as nested objects or as a dotted key, and may lead through lists; list items are joined. A hit
without text gives an empty passage; it is kept, never dropped (rule R8). Does not count tokens: exact cuts happen where
the tokenizer is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

from es_rerank.core.policy import PLACEHOLDER, PassagePolicy
from es_rerank.core.resolve import Resolved
from es_rerank.search.answer import FirstStage, Hit

CHARACTERS_A_TOKEN = 24
"""More characters than this for each token of ``max_length`` are never read: no ordinary text has such long tokens."""

MOST_CHARACTERS = 200_000
"""Of a document that is read by passages; a novel's first third."""

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)


def texts_of(stage: FirstStage, window: int, resolved: Resolved) -> list[str]:
    """The texts of the first ``window`` hits, in first-stage order; empty: no text."""
    policies = policies_of(stage, window, resolved)
    return [_passage(stage, hit, policy) for hit, policy in zip(stage.hits, policies, strict=False)]


def policies_of(stage: FirstStage, window: int, resolved: Resolved) -> list[PassagePolicy | None]:
    """Which text to read of each of the first ``window`` hits; None: it has none."""
    names = [hit.index for hit in stage.hits[:window]]
    known = {name: resolved.passage_for(name) for name in dict.fromkeys(names)}
    return [known[name] for name in names]


def passages_of_sources(sources: Iterable[object], policy: PassagePolicy) -> list[str]:
    """The passages of bare sources, for samples of an index."""
    return [_passage_of(source, None, policy) for source in sources]


def field_texts(sources: Iterable[object], name: str) -> list[str]:
    """The text of one field in each source; empty where there is none."""
    return [_field_text(name, source, None) for source in sources]


def _passage(stage: FirstStage, hit: Hit, policy: PassagePolicy | None) -> str:
    if policy is None:
        return ""
    return _passage_of(stage.raw(hit, "_source"), stage.raw(hit, "fields"), policy)


def _passage_of(source: object, fields: object, policy: PassagePolicy) -> str:
    texts = {name: _field_text(name, source, fields) for name in policy.named_fields}
    if not any(texts.values()):
        return ""
    if policy.template is not None:
        text = PLACEHOLDER.sub(lambda match: texts[match[1]], policy.template)
    else:
        text = policy.separator.join(value for value in texts.values() if value)
    if policy.strip_html:
        text = without_html(text)
    most = policy.max_length * CHARACTERS_A_TOKEN if policy.long_text == "truncate" else MOST_CHARACTERS
    return text[:most].strip()


def _field_text(name: str, source: object, fields: object) -> str:
    """From ``_source`` where it has the field, else from ``fields``, whose values are always lists."""
    plain = source.get(name) if isinstance(source, dict) and "." not in name else None
    found = plain if isinstance(plain, str) and plain.strip() else " ".join(_texts(at(source, name)))
    if not found and isinstance(fields, dict):
        found = " ".join(_texts(at(fields, name)))
    return found


def at(source: object, path: str) -> Iterator[object]:
    """All values at a dotted path, through lists, spelt as nested objects or with dots in the keys."""
    if isinstance(source, list):
        for part in source:
            yield from at(part, path)
    elif isinstance(source, dict):
        if path in source:
            yield source[path]
        for cut in (place for place, letter in enumerate(path) if letter == "."):
            if path[:cut] in source:
                yield from at(source[path[:cut]], path[cut + 1 :])


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        yield from _text(value)


def _text(value: Any) -> Iterator[str]:  # noqa: ANN401  a JSON value
    """Strings as they are; numbers and booleans as JSON spells them; ``semantic_text`` of 8.15 by its ``text``."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, (int, float)):
        yield str(value)
    elif isinstance(value, list):
        yield from _texts(value)
    elif isinstance(value, dict) and "text" in value:
        yield from _text(value["text"])


class _Stripper(HTMLParser):
    """Keeps the text between tags; what a page does not show is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the parser's signature
        self.hidden += tag in {"script", "style"}
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"script", "style"} and self.hidden > 0
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.pieces.append(data)


def without_html(text: str) -> str:
    """Take out tags, comments, scripts and styles; entities become characters; blanks are normalised."""
    stripper = _Stripper()
    try:
        stripper.feed(text)
        stripper.close()
        text = "".join(stripper.pieces)
    except AssertionError:  # pragma: no cover  html.parser of some versions, on declarations such as "<![x"
        text = html.unescape(re.sub(r"<[^>]*>", " ", text))
    return " ".join(text.split())
