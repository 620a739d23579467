"""Token ids → logits on one device: packing, copying, the forward pass.

One copy takes a batch in and one brings its logits out. Called from one thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from es_rerank.core.ports import Precision
from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import OutOfMemory
from es_rerank.scoring.engine import fp8, memory
from es_rerank.scoring.engine.checkpoint import Checkpoint
from es_rerank.scoring.engine.device import DTYPES, precision_for
from es_rerank.scoring.engine.graphs import Graphs
from es_rerank.scoring.engine.linear import always, best_for
from es_rerank.scoring.engine.model import Batch, CrossEncoder
from es_rerank.scoring.engine.packing import Packed, bucket, pack
from es_rerank.scoring.tokens import Tokens

_PROBE = (0, 5, 6, 7, 2)


class Runner:
    """One model on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device, wanted: Precision) -> None:
        """Load; raises ModelLoadError. In fp16 the model is tried first: where it overflows, bf16 is used."""
        self.device = device
        self.precision = precision_for(device, wanted)
        self._load(checkpoint)
        if self.precision == "fp16" and wanted == "auto" and not self._finite(checkpoint):
            self.precision = "bf16"
            self._load(checkpoint)
        if not self._finite(checkpoint):
            msg = f"{checkpoint.model} gives numbers that are not finite in {self.precision}; its file may be damaged"
            raise ModelLoadError(msg)
        self._graphs = Graphs(self._model) if device.type == "cuda" else None
        if device.type == "cpu":
            memory.keep()
        self._pinned: Tensor | None = None

    def _load(self, checkpoint: Checkpoint) -> None:
        dtype = DTYPES["fp16" if self.precision == "fp8" else self.precision]
        make = always(fp8.Fp8Linear) if self.precision == "fp8" else best_for(self.device, dtype)
        try:
            self._model = CrossEncoder(checkpoint, self.device, dtype, make)
        except torch.OutOfMemoryError as exc:
            msg = f"{checkpoint.model} does not fit into the memory of {self.device}; use a smaller model or --device cpu"
            raise ModelLoadError(msg) from exc

    def _finite(self, checkpoint: Checkpoint) -> bool:
        """Whether the model gives a number for texts short and long."""
        shape = checkpoint.shape
        self._graphs, self._pinned = None, None
        long = torch.arange(min(shape.max_length, 512), dtype=torch.int32).numpy() * 37 % shape.vocabulary
        short = torch.tensor(_PROBE, dtype=torch.int32).numpy()
        return bool(torch.isfinite(torch.tensor(self.logits([Tokens(short, 3), Tokens(long, 9)]))).all())

    def logits(self, pairs: Sequence[Tokens]) -> list[float]:
        """Give the logit of each pair, in order. Raises OutOfMemory."""
        if not pairs:
            return []
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].ids))
        placed = [pairs[place] for place in order]
        try:
            if self.device.type == "cuda":
                with torch.cuda.device(self.device):
                    found = self._on_cuda(placed)
            else:
                found = self._on_cpu(placed)
        except torch.OutOfMemoryError as exc:
            torch.cuda.empty_cache()
            msg = f"{len(pairs)} pairs do not fit into the memory of {self.device}"
            raise OutOfMemory(msg) from exc
        logits = [0.0] * len(pairs)
        for place, logit in zip(order, found, strict=True):
            logits[place] = logit
        return logits

    def _on_cpu(self, pairs: Sequence[Tokens]) -> list[float]:
        packed = pack(pairs, self._model.shape.first_position)
        found: list[float] = self._model(Batch(packed, torch.from_numpy(packed.data))).tolist()
        return found

    def _on_cuda(self, pairs: Sequence[Tokens]) -> list[float]:
        lengths = [len(pair.ids) for pair in pairs]
        small = bucket(sum(lengths), len(pairs), max(lengths)) if self._graphs else None
        packed = pack(pairs, self._model.shape.first_position, small)
        pinned = self._to_pinned(packed)
        if small is not None and self._graphs is not None:
            logits = self._graphs.run(small, packed, pinned)
        else:
            logits = self._model(Batch(packed, pinned.to(self.device, non_blocking=True)))
        found: list[float] = logits[: len(pairs)].cpu().tolist()
        return found

    def _to_pinned(self, packed: Packed) -> Tensor:
        """Copy a batch into page-locked memory, which the GPU reads by itself."""
        size = len(packed.data)
        if self._pinned is None or len(self._pinned) < size:
            self._pinned = torch.empty(max(size, 65_536), dtype=torch.int32, pin_memory=True)
        self._pinned[:size] = torch.from_numpy(packed.data)
        return self._pinned[:size]
