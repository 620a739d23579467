"""``python -m bench.engine``: set everything up, measure, print the table, keep it; exit status 0 when every must holds."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from bench.engine import exact, forward, report, serving
from bench.engine.peers import PLACE, Process
from bench.engine.texts import mix
from es_rerank.scoring.engine.device import has_fast_bf16
from es_rerank.scoring.tokens import PairTokenizer
from tests.real import random_xlmr


def main() -> int:
    """Everything in one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="within ten minutes on two cores")
    parser.add_argument("--model", help="a checkpoint of the full shape; seeded random weights where none is named")
    parser.add_argument("--name", help="of the files under bench/results/")
    given = parser.parse_args()
    cuda = torch.cuda.is_available()
    PLACE.mkdir(exist_ok=True)
    full = given.model or _random()
    true = exact.true_weights()
    process = Process("matmul", full, "none")
    rates = process.ask()
    process.close()
    print(f"dense products: {rates}", flush=True)
    table = forward.run(full, quick=given.quick, cuda=cuda, rounds=3)
    rows = forward.cuda_rows(table, rates, _useful(full)) if cuda else forward.cpu_rows(table, rates)
    rows += exact.rows(full, true, quick=given.quick)
    rows += serving.rows(true, forward.scaled_by(rates), quick=given.quick)
    told = report.machine()
    told["matmul"] = ", ".join(f"{name} {rate:.2f} TFLOP/s" for name, rate in rates.items()) + " dense"
    told["model"] = given.model or "BGE-Reranker-v2-m3's shape, seeded random weights"
    device = "cuda" if cuda else "cpu" if has_fast_bf16() else "cpu-fp32"
    name = given.name or device + ("-quick" if given.quick else "")
    print(report.write(name, told, table, rows))
    return 1 if any(row.holds is False for row in rows) else 0


def _random() -> str:
    folder = PLACE / "random"
    if not (folder / "model.safetensors").exists():
        random_xlmr.write(folder, random_xlmr.FULL)
    return str(folder)


def _useful(model: str) -> float:
    """FLOP that the natural mix needs: 604 M a token and 98,304 for each token that it attends to, a layer less 3.5 %."""
    tokens = PairTokenizer.load(Path(model))
    lengths = [len(tokens.join(query, [passage], 512)[0].ids) for query, passage in mix("natural", 24 * 16)]
    return sum(length * (604e6 + 98_304 * length) * 0.965 for length in lengths)


if __name__ == "__main__":
    sys.exit(main())
