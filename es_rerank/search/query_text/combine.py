"""Several texts of one search → the one that the model reads.

Blanks are normalised, repeated texts and texts contained in a longer one are dropped (the usual hand-written search asks
for the same words in three fields), then the policy decides. Does not know where the texts came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

MAX_QUERY_CHARACTERS = 1000
"""Longer query text is cut, as OpenSearch's ``query_text_path`` refuses more than 1,000 characters."""


MAX_RAW_CHARACTERS = 10_000
"""Of one text, before its blanks are counted: what a client sends is not walked for ever."""

MAX_TEXTS = 64
"""Different texts of one search that are looked at; each is compared with every other."""

_IDEOGRAPHS = 0x2E80
"""Scripts from here on (CJK radicals, kana, ideographs) do not separate words."""


def combine(texts: Sequence[str], how: Literal["join", "longest", "first", "skip"]) -> str | None:
    """Give one text, cut to MAX_QUERY_CHARACTERS; None where nothing but blanks and punctuation is left."""
    spoken = (" ".join(text[:MAX_RAW_CHARACTERS].split())[:MAX_QUERY_CHARACTERS].strip() for text in texts)
    said = {text.casefold(): text for text in reversed([text for text in spoken if any(map(str.isalnum, text))])}
    kept = _distinct(list(reversed(said.values()))[:MAX_TEXTS])
    if not kept or (len(kept) > 1 and how == "skip"):
        return None
    if how == "longest":
        kept = [max(kept, key=len)]
    elif how == "first":
        kept = kept[:1]
    return " ".join(kept)[:MAX_QUERY_CHARACTERS].strip()


def _distinct(texts: list[str]) -> list[str]:
    """Drop case-folded repetitions and what a longer text contains; the order stays."""
    folded = [text.casefold() for text in texts]
    return [
        text
        for place, text in enumerate(texts)
        if not any(
            _contains(folded[other], folded[place]) and (len(folded[other]) > len(folded[place]) or other < place)
            for other in range(len(texts))
            if other != place
        )
    ]


def _contains(text: str, part: str) -> bool:
    """Whether ``part`` stands in ``text`` at word borders; scripts without blanks have one at every character."""
    place = text.find(part)
    while place >= 0:
        end = place + len(part)
        if not (_joined(text, place) or _joined(text, end)):
            return True
        place = text.find(part, place + 1)
    return False


def _joined(text: str, place: int) -> bool:
    """Whether a cut at this place would split a word of a script that separates words."""
    if not 0 < place < len(text):
        return False
    return all(letter.isalnum() and ord(letter) < _IDEOGRAPHS for letter in text[place - 1 : place + 1])
