"""How many tokens a text has, about: before anything is tokenised, and for models that tokenise by themselves.

Four ASCII letters to one token, three other characters to two: ratios of XLM-RoBERTa's vocabulary, seen on English and
Chinese pages.
"""

from __future__ import annotations


def tokens_about(text: str) -> int:
    """About how many tokens the text has."""
    plain = len(text) if text.isascii() else sum(map(str.isascii, text))
    return plain // 4 + (len(text) - plain) * 2 // 3


def estimate(pair: tuple[str, str]) -> int:
    """About how many tokens a pair has, specials included."""
    return 4 + sum(map(tokens_about, pair))
