"""BGE and its kin through FlagEmbedding's FlagReranker, loaded once and resident.

Known traps of FlagEmbedding 1.4.2 are kept behind this file: it fails on an empty list, draws progress bars, takes any
RuntimeError for a lack of memory, and would run a checkpoint without a trained head as if it had one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from es_rerank.errors import ModelLoadError, ScorerError
from es_rerank.scoring.backend import OutOfMemory, Pair
from es_rerank.scoring.places import unloadable


class FlagEmbeddingBackend:
    """One FlagReranker."""

    def __init__(self, model: str, device: str) -> None:
        """Load ``model`` (a hub name or a folder) on ``device`` (``auto``, ``cpu``, ``cuda…``); raises ModelLoadError."""
        os.environ["USE_TORCH"], os.environ["USE_TF"] = "1", "0"
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            import torch  # noqa: PLC0415  heavy and optional
            from FlagEmbedding import FlagReranker  # noqa: PLC0415
            from transformers import AutoConfig  # noqa: PLC0415
        except Exception as exc:
            msg = f"FlagEmbedding cannot be imported ({exc}); pip install 'es-rerank[model]', and see `es-rerank doctor`"
            raise ModelLoadError(msg) from exc
        self._torch = torch
        self.name = model
        self.device = _device(device, cuda=torch.cuda.is_available())
        try:
            _refuse_headless(model, AutoConfig.from_pretrained(model))
            self._reranker = FlagReranker(model, use_fp16=self.device != "cpu", devices=[self.device])
        except ModelLoadError:
            raise
        except Exception as exc:
            raise ModelLoadError(unloadable(model, exc)) from exc

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give the logit of each pair, in order; raises OutOfMemory, ScorerError."""
        if not pairs:
            return []
        asked = [list(pair) for pair in pairs]  # one fewer than a batch holds: then no progress bar is drawn
        try:
            found: Any = self._reranker.compute_score(asked, batch_size=len(asked) + 1, max_length=max_length)
        except self._torch.OutOfMemoryError as exc:
            self._torch.cuda.empty_cache()
            msg = f"{len(pairs)} pairs do not fit into the memory of {self.device}"
            raise OutOfMemory(msg) from exc
        except Exception as exc:
            msg = f"FlagEmbedding failed: {type(exc).__name__}: {exc}"
            raise ScorerError(msg) from exc
        logits = found if isinstance(found, list) else [found]
        return [math.nan if logit is None else float(logit) for logit in logits]


def _device(wanted: str, *, cuda: bool) -> str:
    if wanted == "auto":
        return "cuda:0" if cuda else "cpu"
    if wanted.startswith("cuda") and not cuda:
        msg = f"device {wanted} was asked for, but torch sees no CUDA device; use --device cpu or mend the driver"
        raise ModelLoadError(msg)
    return "cuda:0" if wanted == "cuda" else wanted


def _refuse_headless(model: str, config: Any) -> None:  # noqa: ANN401  transformers' configuration
    """A checkpoint without a classification head of one output is no reranker; its head would be random."""
    kinds = getattr(config, "architectures", None) or []
    if not any(kind.endswith("ForSequenceClassification") for kind in kinds) or config.num_labels != 1:
        msg = f"{model} is no cross-encoder (it is {', '.join(kinds) or 'of no named kind'}, {config.num_labels} outputs)"
        raise ModelLoadError(f"{msg}; use a reranker such as BAAI/bge-reranker-v2-m3")
