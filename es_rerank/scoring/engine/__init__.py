"""Our own engine for cross-encoders of the XLM-RoBERTa and BERT families: text in, logits out, nothing padded."""

from __future__ import annotations

from collections.abc import Sequence

from es_rerank.core.ports import Precision
from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.engine.checkpoint import Checkpoint
from es_rerank.scoring.engine.device import devices
from es_rerank.scoring.engine.runner import Runner
from es_rerank.scoring.tokens import PairTokenizer, prepared, tokens_of


class EngineBackend:
    """One model on one device."""

    def __init__(self, checkpoint: Checkpoint, tokens: PairTokenizer, runner: Runner) -> None:
        self.name = checkpoint.model
        self.device = f"{runner.device} {runner.precision}"
        self._tokens = tokens
        self._runner = runner
        self._longest = checkpoint.shape.max_length
        self._mark = f"{checkpoint.revision} {runner.precision}".encode()

    def prepare(self, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
        """Tokenise; pairs are at most as long as the model's own position table."""
        return prepared(self._tokens, self._mark, query, passages, min(max_length, self._longest))

    def score(self, batch: Sequence[Prepared]) -> list[float]:
        """Run the model once over the whole batch. Raises OutOfMemory."""
        return self._runner.logits([tokens_of(pair) for pair in batch])


def load(model: str, device: str = "auto", precision: Precision = "auto") -> list[EngineBackend]:
    """Load a folder or a hub's model, a replica for each device; raises ModelLoadError."""
    places = devices(device)
    checkpoint = Checkpoint(model)
    tokens = PairTokenizer.load(checkpoint.folder)
    return [EngineBackend(checkpoint, tokens, Runner(checkpoint, place, precision)) for place in places]
