"""Queries and passages, the same in every run: sentences of this project's own, shuffled by a fixed seed."""

from __future__ import annotations

import random
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SEED = 20261124


def sentences() -> list[str]:
    """English and Chinese sentences, taken once out of the guides and the demonstration's documents.

    They lie in a file of their own, so that an edit of a guide does not change what two runs are compared by.
    """
    return Path(__file__).with_name("sentences.txt").read_text().splitlines()


def mix(name: str, pairs: int) -> list[tuple[str, str]]:
    """``natural``: lengths as passages have them, about 120 tokens on average; ``128`` and so on: all that long, cut."""
    chance = random.Random(f"{_SEED} {name}")
    pool = sentences()
    query = "how does the proxy choose which hits of a search are reranked"
    if name != "natural":
        return [(query, " ".join(chance.sample(pool, 60))) for _ in range(pairs)]
    found = []
    for _ in range(pairs):
        wanted = min(max(chance.lognormvariate(5.75, 0.6), 60), 1600)
        text = ""
        while len(text) < wanted:
            text += " " + chance.choice(pool)
        found.append((query, text[: int(wanted)]))
    return found


def max_length(name: str) -> int:
    """Where pairs of that mix are cut."""
    return 512 if name == "natural" else int(name)


def judged(queries: int, passages: int) -> list[tuple[str, list[str]]]:
    """Queries with passages that hold from none to all of their words, in the sentence they stand in or strewn about."""
    chance = random.Random(_SEED)
    pool = [sentence for sentence in sentences() if len(sentence.split()) > 7]
    found = []
    for _ in range(queries):
        lead, *others = chance.sample(pool, passages)
        words = lead.split()
        query = " ".join(words[:6])
        texts = [f"{' '.join(words[: len(words) * place // passages])} {other}" for place, other in enumerate(others, 1)]
        found.append((query, [lead, *texts]))
    return found
