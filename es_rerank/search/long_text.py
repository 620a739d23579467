"""Texts of documents → the passages that the model reads, and back: passages' logits → one for each document.

A text is read from its beginning and cut by the model (``truncate``), or divided into passages at the ends of sentences,
Chinese ones too, and scored by them (``best_passage``). Sizes are estimated tokens here; exact cuts happen where the
tokenizer is. Offsets are code points of the text as the model would be shown it.

Scoring a document by its best passage: Callan, SIGIR 1994; with cross-encoders, MaxP of Dai and Callan, SIGIR 2019.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from es_rerank.core.estimate import tokens_about
from es_rerank.core.policy import PassagePolicy
from es_rerank.core.words import words

Span = tuple[int, int]

_END = re.compile(r"[。！？；\n]+[”’」』）\s]*|[!?.;]+[\"')\]]*(?:\s+|$)")
"""Closing marks and the blanks behind them; a full stop within a number or a name ends no sentence."""


class Divided(msgspec.Struct, frozen=True):
    """One document's text and the spans of it that are scored. ``dropped``: something is in no span."""

    text: str
    spans: tuple[Span, ...]
    dropped: bool = False

    @property
    def passages(self) -> list[str]:
        """The passages, in the order of the text."""
        return [self.text[start:end] for start, end in self.spans]


class Judged(msgspec.Struct, frozen=True):
    """What the model made of one document. ``best``: the span of its best passage, where it was divided."""

    logit: float | None = None
    best: Span | None = None
    truncated: bool = False


def divide(text: str, policy: PassagePolicy, query: str) -> Divided:
    """The passages of one text; an empty text has none."""
    if not text:
        return Divided(text, ())
    if policy.long_text == "truncate":
        return Divided(text, ((0, len(text)),))
    found = spans(text, policy.passage_tokens, policy.stride)
    kept = found[:1] if policy.aggregate == "first" else found[: policy.max_passages]
    if policy.pick == "overlap" and policy.aggregate != "first" and len(found) > policy.max_passages:
        asked = frozenset(words(query))
        shared = [len(asked.intersection(words(text[start:end]))) for start, end in found]
        best = sorted(range(len(found)), key=lambda place: (-shared[place], place))[: policy.max_passages]
        kept = [found[place] for place in sorted(best)]
    return Divided(text, tuple(kept), len(kept) < len(found))


def spans(text: str, tokens: int, stride: int) -> list[Span]:
    """Passages of up to ``tokens`` estimated tokens each, in whole sentences where these are not longer.

    Neighbours share whole sentences of up to ``stride`` tokens at their borders, as far as each then reaches further than
    the one before it.
    """
    pieces = [piece for sentence in _sentences(text) for piece in _pieces(text, sentence, tokens)]
    costs = [tokens_about(text[start:end]) for start, end in pieces]
    found: list[Span] = []
    first = 0
    while first < len(pieces):
        end, used = first + 1, costs[first]
        while end < len(pieces) and used + costs[end] <= tokens:
            used += costs[end]
            end += 1
        found.append((pieces[first][0], pieces[end - 1][1]))
        if end == len(pieces):
            break
        shared, back = 0, end
        room = min(stride, tokens - costs[end])
        while back - 1 > first and shared + costs[back - 1] <= room:
            back -= 1
            shared += costs[back]
        first = back
    return found


def judge(
    divided: Sequence[Divided], logits: Sequence[float | None], cut: Sequence[bool], aggregate: Sequence[str]
) -> list[Judged]:
    """One judgement a document, from the logits of all passages one after another.

    A document counts as scored when all its passages are. ``cut`` tells of each passage whether the model saw all of it
    (empty: not known); ``aggregate`` is the word of each document's policy.
    """
    found = []
    place = 0
    for document, way in zip(divided, aggregate, strict=True):
        count = len(document.spans)
        # by far the most documents are read whole
        if count == 1 and not document.dropped and document.spans[0] == (0, len(document.text)):
            found.append(Judged(logits[place], None, truncated=logits[place] is not None and bool(cut) and cut[place]))
            place += 1
            continue
        own = [logit for logit in logits[place : place + count] if logit is not None]
        truncated = any(cut[place : place + count]) or document.dropped
        place += count
        if not count or len(own) < count:
            found.append(Judged())
            continue
        best = max(range(count), key=own.__getitem__)
        logit = sum(own) / count if way == "mean" else own[0] if way == "first" else own[best]
        whole = document.spans == ((0, len(document.text)),)
        found.append(Judged(logit, None if whole else document.spans[best], truncated))
    return found


def _sentences(text: str) -> list[Span]:
    ends = [match.end() for match in _END.finditer(text)]
    if text and (not ends or ends[-1] < len(text)):
        ends.append(len(text))
    return list(pairwise([0, *ends]))


def _pieces(text: str, span: Span, tokens: int) -> list[Span]:
    """A sentence, or parts of one that is longer than a passage; cut between code points, by halves."""
    start, end = span
    if tokens_about(text[start:end]) <= tokens or end - start < 2:  # noqa: PLR2004  nothing left to halve
        return [span]
    middle = (start + end) // 2
    return _pieces(text, (start, middle), tokens) + _pieces(text, (middle, end), tokens)
