"""Words of a text, without relying on blanks: words of scripts that separate them, character bigrams of those that don't."""

from __future__ import annotations

import re

_RUN = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]+|[^\W_぀-ヿ㐀-䶿一-鿿가-힯豈-﫿]+")
_UNSPACED = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿]")


def unspaced(text: str) -> bool:
    """Whether the text holds Chinese characters or Japanese kana."""
    return _UNSPACED.search(text) is not None


def words(text: str) -> list[str]:
    """Case-folded words; a run of Chinese characters gives its bigrams, a single one itself."""
    found: list[str] = []
    for match in _RUN.finditer(text.casefold()):
        run = match[0]
        if unspaced(run) and len(run) > 1:
            found += [run[place : place + 2] for place in range(len(run) - 1)]
        else:
            found.append(run)
    return found
