"""Words of a text, without relying on blanks: words of scripts that separate them, character bigrams of those that don't."""

from __future__ import annotations

import re

_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_IDEOGRAPHS}]+|[^\W_{_IDEOGRAPHS}]+")
_UNSPACED = re.compile(rf"[{_IDEOGRAPHS}]")


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
