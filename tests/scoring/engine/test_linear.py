"""The fused products give what the plain ones give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring.engine import linear  # noqa: E402  needs torch
from es_rerank.scoring.engine.device import has_fast_bf16  # noqa: E402
from es_rerank.scoring.engine.linear import PlainLinear, PrepackedLinear, Use, best_for  # noqa: E402

pytestmark = pytest.mark.model


@pytest.mark.parametrize("form", ["none", "tanh"])
@pytest.mark.parametrize("tokens", [1, 7, 600])
def test_prepacked_equals_plain(form: str, tokens: int) -> None:
    """For few and many tokens, with bias, either GELU, and the residual."""
    torch.manual_seed(3)
    weight, bias, x, residual = torch.randn(48, 32), torch.randn(48), torch.randn(tokens, 32), torch.randn(tokens, 48)
    plain, packed = PlainLinear(weight, bias, form), PrepackedLinear(weight.clone(), bias, form)
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(packed.plain(x), plain.plain(x), **close)
    torch.testing.assert_close(packed.gelu(x), plain.gelu(x), **close)
    torch.testing.assert_close(packed.added(x, residual), plain.added(x, residual), **close)


def test_what_a_device_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """OneDNN on a CPU that has it, timed in fp32; plain operators elsewhere, and where oneDNN's are missing or wrong."""
    cpu = torch.device("cpu")
    if has_fast_bf16():
        assert best_for(cpu, torch.bfloat16) is linear.PREPACKED
    assert best_for(cpu, torch.float32) is linear.quicker
    assert best_for(torch.device("cuda"), torch.float16) is linear.PLAIN

    def missing(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(PrepackedLinear, "gelu", missing)
    assert best_for(cpu, torch.float32) is linear.PLAIN
    monkeypatch.setattr(PrepackedLinear, "gelu", lambda self, x: x * 2)
    assert best_for(cpu, torch.float32) is linear.PLAIN


@pytest.mark.parametrize("use", ["plain", "gelu", "added"])
@pytest.mark.parametrize(("plain_s", "chosen"), [(0.8, PlainLinear), (0.95, PrepackedLinear), (2.0, PrepackedLinear)])
def test_the_quicker_one_is_taken(use: Use, plain_s: float, chosen: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the method that will be called; oneDNN's unless the other is clearly quicker."""
    now = [0.0]
    for kind, spent in ((PlainLinear, plain_s), (PrepackedLinear, 1.0)):
        monkeypatch.setattr(kind, use, lambda *_, spent=spent: now.__setitem__(0, now[0] + spent))
    monkeypatch.setattr("es_rerank.scoring.engine.linear.time.perf_counter", lambda: now[0])
    linear._timed.cache_clear()
    assert linear._timed(8, 4, "none", use) is chosen
    linear._timed.cache_clear()
