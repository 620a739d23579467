"""Recorded CUDA graphs for small batches, whose kernels take less time than their launches.

One graph for each bucket of (tokens, sequences, longest): the longest length is baked into the attention kernel's
launch, so a graph is never used for another one. All graphs share one memory pool.
"""

from __future__ import annotations

import torch
from torch import Tensor

from es_rerank.scoring.engine.model import Batch, CrossEncoder
from es_rerank.scoring.engine.packing import Bucket, Packed


class Graphs:
    """The graphs of one model, each recorded at its first use."""

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model
        self._pool = torch.cuda.graph_pool_handle()
        self._recorded: dict[Bucket, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def run(self, bucket: Bucket, packed: Packed, pinned: Tensor) -> Tensor:
        """Logits of the bucket's sequences; the result is overwritten by the next run of the same bucket."""
        if bucket not in self._recorded:
            self._recorded[bucket] = self._record(packed, pinned)
        graph, data, logits = self._recorded[bucket]
        data.copy_(pinned, non_blocking=True)
        graph.replay()
        return logits

    def _record(self, packed: Packed, pinned: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        """Run thrice beside the default stream, as CUDA's own advice goes, then record."""
        data = pinned.to(self._model.device)
        aside = torch.cuda.Stream(self._model.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(self._model.device))
        with torch.cuda.stream(aside):
            for _ in range(3):
                self._model(Batch(packed, data))
        torch.cuda.current_stream(self._model.device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            logits = self._model(Batch(packed, data))
        return graph, data, logits
