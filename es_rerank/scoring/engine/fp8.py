"""Products in 8-bit floats on GPUs that have them: faster, and not exact.

Weights are scaled by output row, activations by token, both to e4m3's largest value (448); sums are kept in fp32 and
given back in 16 bits. Attention, layer norms and the head stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own convention

_LARGEST = 448.0


def quantised(x: Tensor) -> tuple[Tensor, Tensor]:
    """``(rows, n)`` → e4m3 values and their scales ``(rows, 1)``: value × scale ≈ x."""
    scale = x.abs().amax(dim=-1, keepdim=True).float().clamp(min=1e-12) / _LARGEST
    return (x.float() / scale).clamp(-_LARGEST, _LARGEST).to(torch.float8_e4m3fn), scale


class Fp8Linear:
    """A linear layer whose product runs in e4m3."""

    def __init__(self, weight: Tensor, bias: Tensor, gelu: str) -> None:
        self._weight, scale = quantised(weight)
        self._scale = scale.t().contiguous()
        self._bias, self._gelu = bias, gelu

    def plain(self, x: Tensor) -> Tensor:
        """Quantise each token, multiply, scale back."""
        values, scale = quantised(x)
        bf16 = torch._scaled_mm(  # noqa: SLF001  the product that torchao is built on, too
            values, self._weight.t(), scale_a=scale, scale_b=self._scale, out_dtype=torch.bfloat16, use_fast_accum=True
        )
        return (bf16 + self._bias).to(x.dtype)

    def gelu(self, x: Tensor) -> Tensor:
        """Product, then GELU."""
        return F.gelu(self.plain(x), approximate=self._gelu)

    def added(self, x: Tensor, residual: Tensor) -> Tensor:
        """Product, then sum."""
        return self.plain(x) + residual
