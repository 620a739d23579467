"""Our own engine for cross-encoders of the XLM-RoBERTa and BERT families: text in, logits out, nothing padded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from es_rerank.core.ports import Precision
from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.engine.checkpoint import Checkpoint
from es_rerank.scoring.engine.device import devices
from es_rerank.scoring.engine.packing import Tokens
from es_rerank.scoring.engine.runner import Runner
from es_rerank.scoring.tokens import PairTokenizer


class EngineBackend:
    """One model on one device."""

    def __init__(self, model: str, tokens: PairTokenizer, runner: Runner, max_length: int, revision: str) -> None:
        self.name = model
        self.device = f"{runner.device} {runner.precision}"
        self._tokens = tokens
        self._runner = runner
        self._max_length = max_length
        self._mark = f"{revision} {runner.precision}".encode()

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        """Tokenise; pairs are at most as long as the model's own position table."""
        length = min(max_length, self._max_length)
        seed = hashlib.blake2b(self._mark + length.to_bytes(4, "little"), digest_size=16)
        prepared = []
        for joined in self._tokens.join(query, passages, length):
            digest = seed.copy()
            digest.update(joined.first.to_bytes(4, "little") + joined.ids.tobytes())
            item = Tokens(joined.ids, joined.first, self._tokens.second_type)
            prepared.append(Prepared(item, len(joined.ids), digest.digest(), joined.truncated))
        return prepared

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        """Run the model once over the whole batch. Raises OutOfMemory."""
        return self._runner.logits([_tokens(prepared) for prepared in batch])


def load(model: str, device: str = "auto", precision: Precision = "auto") -> list[EngineBackend]:
    """Load a folder or a hub's model, a replica for each device; raises ModelLoadError."""
    found = devices(device)
    checkpoint = Checkpoint(model)
    tokens = PairTokenizer.load(checkpoint.folder)
    return [
        EngineBackend(model, tokens, Runner(checkpoint, place, precision), checkpoint.shape.max_length, checkpoint.revision)
        for place in found
    ]


def _tokens(prepared: Prepared) -> Tokens:
    if not isinstance(prepared.item, Tokens):
        msg = "prepared by another backend"
        raise TypeError(msg)
    return prepared.item
