"""Scaling to e4m3, which needs no GPU; the product itself does."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring.engine.fp8 import quantised  # noqa: E402  needs torch

pytestmark = pytest.mark.model


def test_values_come_back_within_the_types_step() -> None:
    """e4m3 has three bits of mantissa: 1/16 of a value above the row's smallest normal; rows of zeros stay zeros."""
    x = torch.randn(8, 64) * torch.logspace(-4, 4, 8)[:, None]
    values, scale = quantised(x)
    error = (values.float() * scale - x).abs()
    assert (error <= x.abs() / 16 + x.abs().amax(1, keepdim=True) / 448 * 2**-9).all()
    assert values.dtype == torch.float8_e4m3fn
    zeros, _ = quantised(torch.zeros(2, 4))
    assert zeros.float().abs().sum() == 0
