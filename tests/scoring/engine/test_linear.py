"""The fused products give what the plain ones give."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring.engine.linear import PlainLinear, PrepackedLinear, best_for  # noqa: E402  needs torch

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
    """OneDNN on a CPU that has it; the plain operators elsewhere, and where oneDNN's are missing or wrong."""
    cpu = torch.device("cpu")
    assert best_for(cpu, torch.float32) is PrepackedLinear
    assert best_for(torch.device("cuda"), torch.float16) is PlainLinear

    def missing(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(PrepackedLinear, "gelu", missing)
    assert best_for(cpu, torch.float32) is PlainLinear
    monkeypatch.setattr(PrepackedLinear, "gelu", lambda self, x: x * 2)
    assert best_for(cpu, torch.float32) is PlainLinear
