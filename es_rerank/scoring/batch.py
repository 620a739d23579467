"""How many pairs fit into one batch: a pure function, apart from the thread that uses it.

Costs are estimated tokens; exact ones are known only to a tokenizer. Does not reorder: hits are scored in first-stage
order, so that what is scored at a deadline is the best of the first stage.
"""

from __future__ import annotations

from collections.abc import Iterable

from es_rerank.scoring.backend import Pair


def estimate(pair: Pair, max_length: int) -> int:
    """About how many tokens a pair has: four ASCII letters to one, three other characters to two; at most ``max_length``.

    Ratios of XLM-RoBERTa's vocabulary, seen on English and Chinese pages.
    """
    letters = sum(map(len, pair))
    plain = sum(len(text) if text.isascii() else sum(map(str.isascii, text)) for text in pair)
    return min(4 + plain // 4 + (letters - plain) * 2 // 3, max_length)


def fit(costs: Iterable[int], max_batch_tokens: int) -> int:
    """How many of the waiting pairs, from the first on, make the next batch.

    At least one where any waits, so a queue that is not empty never gives an empty batch; more only while the sum
    stays within the budget.
    """
    count = used = 0
    for cost in costs:
        if count and used + cost > max_batch_tokens:
            break
        used += cost
        count += 1
    return count
