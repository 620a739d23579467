"""One way to run the model, in a process and an environment of its own; asked and answering in lines of JSON.

python worker.py KIND MODEL PRECISION: ``{"pairs": …, "max_length": …, "batch": …}`` → ``{"seconds": …, "logits": …}``
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ |= {"USE_TF": "0", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
warnings.simplefilter("ignore")
Pairs = list[tuple[str, str]]
Ask = Callable[[Pairs, int, int], list[float]]


def flag(model: str, precision: str) -> Ask:
    from FlagEmbedding import FlagReranker

    cuda = _cuda()
    reranker = FlagReranker(model, use_fp16=precision == "fp16", devices=["cuda:0" if cuda else "cpu"])

    def ask(pairs: Pairs, max_length: int, batch: int) -> list[float]:
        found: Any = reranker.compute_score([list(pair) for pair in pairs], batch_size=batch, max_length=max_length)
        return list(found)

    return ask


def crossencoder(model: str, precision: str) -> Ask:
    import torch
    from sentence_transformers import CrossEncoder

    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    encoder = CrossEncoder(model, device="cuda" if _cuda() else "cpu", model_kwargs={"dtype": kinds[precision]})

    def ask(pairs: Pairs, max_length: int, batch: int) -> list[float]:
        encoder.max_length = max_length
        found = encoder.predict(pairs, batch_size=batch, show_progress_bar=False, activation_fn=torch.nn.Identity())
        return [float(value) for value in found]

    return ask


def openvino(model: str, precision: str) -> Ask:
    from es_rerank.scoring import openvino as backend

    return _backend(backend.load(model, precision))  # type: ignore[arg-type]


def onnxruntime(model: str, precision: str) -> Ask:
    """Exported by torch, optimised by ONNX Runtime, fp32."""
    import torch
    from transformers import AutoModelForSequenceClassification

    from es_rerank.scoring import onnx as backend

    folder = Path(model) / "onnx"
    if not (folder / "model.onnx").exists():
        folder.mkdir(exist_ok=True)
        module = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32).eval()
        ids = torch.ones(2, 16, dtype=torch.int64)
        batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
        shapes = {name: {0: batch, 1: length} for name in ("input_ids", "attention_mask")}
        program = torch.onnx.export(
            module, (), kwargs={"input_ids": ids, "attention_mask": ids}, dynamic_shapes=shapes, dynamo=True, verbose=False
        )
        assert program is not None
        program.save(str(folder / "model.onnx"), external_data=True)
    del precision
    return _backend(backend.load(model, "cpu"))


def engine(model: str, precision: str) -> Ask:
    from es_rerank.scoring import engine as ours

    return _backend(ours.load(model, "auto", precision)[0])  # type: ignore[arg-type]


def _backend(backend: Any) -> Ask:
    def ask(pairs: Pairs, max_length: int, batch: int) -> list[float]:
        """Tokenise by query, score in batches of up to ``batch`` tokens, longest together."""
        prepared = [backend.prepare(query, [passage], max_length)[0] for query, passage in pairs]
        order = sorted(range(len(prepared)), key=lambda place: -prepared[place].cost)
        logits = [0.0] * len(prepared)
        group: list[int] = []
        for place in [*order, None]:
            used = sum(prepared[other].cost for other in group)
            if group and (place is None or used + prepared[place].cost > batch):
                for other, logit in zip(group, backend.score([prepared[other] for other in group]), strict=True):
                    logits[other] = logit
                group = []
            if place is not None:
                group.append(place)
        return logits

    return ask


def matmul() -> dict[str, float]:
    """Dense product rates at the model's largest shape, in TFLOP/s: fp32, and 16 bits where this device has them."""
    import torch

    from es_rerank.scoring.engine.device import has_fast_bf16

    device = "cuda" if _cuda() else "cpu"
    kinds = {"fp32": torch.float32}
    if device == "cuda" or has_fast_bf16():
        kinds["16-bit"] = torch.float16 if device == "cuda" else torch.bfloat16
    rates = {}
    for name, kind in kinds.items():
        rows = 16_384 if device == "cuda" else 1_024
        x, weight = torch.randn(rows, 1024, dtype=kind, device=device), torch.randn(4096, 1024, dtype=kind, device=device)
        spent = []
        for _ in range(7):
            begun = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            if device == "cuda":
                torch.cuda.synchronize()
            spent.append(time.perf_counter() - begun)
        rates[name] = 2 * rows * 1024 * 4096 / sorted(spent)[3] / 1e12
    return rates


def tokenising(model: str, pairs: Pairs) -> dict[str, float]:
    """Milliseconds to make ids of the pairs: FlagEmbedding's way, ours at first sight, ours again."""
    from FlagEmbedding.utils.tokenizer_compat import prepare_for_model_compat
    from transformers import AutoTokenizer

    from es_rerank.scoring.tokens import PairTokenizer

    theirs = AutoTokenizer.from_pretrained(model)
    queries, passages = [query for query, _ in pairs], [passage for _, passage in pairs]
    spent: dict[str, list[float]] = {"flag": [], "first": [], "again": []}
    for _ in range(5):
        begun = time.perf_counter()
        given = {"return_tensors": None, "add_special_tokens": False, "truncation": True}
        for one, other in zip(
            theirs(queries, max_length=384, **given)["input_ids"],
            theirs(passages, max_length=512, **given)["input_ids"],
            strict=True,
        ):
            prepare_for_model_compat(theirs, one, other, truncation="only_second", max_length=512, padding=False)
        spent["flag"].append(time.perf_counter() - begun)
        ours = PairTokenizer.load(Path(model))
        ours.join("warm", ["warm"], 512)
        for way in ("first", "again"):
            begun = time.perf_counter()
            ours.join(queries[0], passages, 512)
            spent[way].append(time.perf_counter() - begun)
    return {way: sorted(times)[2] * 1000 for way, times in spent.items()}


def growth(model: str, precision: str) -> float:
    """Peak growth of this process while the engine is loaded and runs, in bytes over itself with imports and tokenizer."""
    import resource

    from es_rerank.scoring.engine import EngineBackend
    from es_rerank.scoring.engine.checkpoint import Checkpoint
    from es_rerank.scoring.engine.device import devices
    from es_rerank.scoring.engine.runner import Runner
    from es_rerank.scoring.tokens import PairTokenizer

    tokens = PairTokenizer.load(Path(model))
    tokens.join("q", ["warm"], 64)
    base = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    checkpoint = Checkpoint(model)
    backend = EngineBackend(checkpoint, tokens, Runner(checkpoint, devices("cpu")[0], precision))  # type: ignore[arg-type]
    backend.score(backend.prepare("q", ["water " * 200] * 4, 256))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def main() -> None:
    """Answer until the input ends; whatever libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kind, model, precision = sys.argv[1:]
    special: dict[str, Callable[[dict[str, Any]], Any]] = {
        "matmul": lambda _: matmul(),
        "growth": lambda _: {"bytes": growth(model, precision)},
    }
    special["tokenising"] = lambda asked: tokenising(model, asked["pairs"])
    ask = (
        None
        if kind in special
        else {f.__name__: f for f in (flag, crossencoder, openvino, onnxruntime, engine)}[kind](model, precision)
    )
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if ask is None:
            print(json.dumps(special[kind](asked)), file=answers, flush=True)
            continue
        begun = time.perf_counter()
        logits = ask([tuple(pair) for pair in asked["pairs"]], asked["max_length"], asked["batch"])
        print(json.dumps({"seconds": time.perf_counter() - begun, "logits": logits}), file=answers, flush=True)


if __name__ == "__main__":
    main()
