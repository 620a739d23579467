"""What only a GPU can show: variable-length attention, graphs, fp16 and fp8, against fp32 on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from es_rerank.core.ports import Precision  # noqa: E402
from es_rerank.scoring import engine  # noqa: E402
from tests.real.texts import PAIRS  # noqa: E402

pytestmark = [
    pytest.mark.model,
    pytest.mark.gpu,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 0.02), ("bf16", 0.1), ("fp8", 1.0)])
def test_gpu_against_cpu(minilm: Path, precision: Precision, tolerance: float) -> None:
    """Small batches through graphs (twice, recorded and replayed), large ones without, of the true model."""
    exact = engine.load(str(minilm), "cpu", "fp32")[0]
    ours = engine.load(str(minilm), "cuda:0", precision)[0]
    prepared = [exact.prepare(query, [passage], 256)[0] for query, passage in PAIRS]
    expected = exact.score(prepared)
    for batch, wanted in ((prepared[:2], expected[:2]), (prepared[3:5], expected[3:5]), (prepared * 40, expected * 40)):
        assert ours.score(batch) == pytest.approx(wanted, abs=tolerance)
        assert ours.score(batch[::-1]) == pytest.approx(wanted[::-1], abs=tolerance)
