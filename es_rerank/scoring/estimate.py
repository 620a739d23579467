"""How many tokens a pair has, about: for models that tokenise by themselves, and before anything is tokenised."""

from __future__ import annotations

from es_rerank.scoring.backend import Pair


def estimate(pair: Pair) -> int:
    """About how many tokens a pair has: four ASCII letters to one, three other characters to two.

    Ratios of XLM-RoBERTa's vocabulary, seen on English and Chinese pages.
    """
    letters = sum(map(len, pair))
    plain = sum(len(text) if text.isascii() else sum(map(str.isascii, text)) for text in pair)
    return 4 + plain // 4 + (letters - plain) * 2 // 3
