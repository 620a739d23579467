"""Matrix products of the forward pass: a linear layer with what follows it, fused where the device can.

On CPU the weights are laid out once for oneDNN, whose product then takes the bias, the exact GELU or the residual in its
own pass (operators that ``torch.compile`` uses for frozen models; where a build lacks them, plain ones serve). In fp32
torch's own library may be quicker, by shape and by processor, so there the two are timed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own convention


class Linear(Protocol):
    """``y = x Wᵀ + b`` for ``x`` of shape ``(tokens, in)``."""

    def plain(self, x: Tensor) -> Tensor:
        """Give ``(tokens, out)``."""
        ...

    def gelu(self, x: Tensor) -> Tensor:
        """The same with the model's GELU behind it."""
        ...

    def added(self, x: Tensor, residual: Tensor) -> Tensor:
        """The same plus ``residual``, ``(tokens, out)``."""
        ...


Use = Literal["plain", "gelu", "added"]
"""What a layer's product is followed by, and so which of its methods is called."""

MakeLinear = Callable[[Tensor, Tensor, str, Use], Linear]
"""(weight ``(out, in)``, bias ``(out,)``, form of GELU: ``none`` or ``tanh``, use) → layer; takes the tensors over."""


def always(make: Callable[[Tensor, Tensor, str], Linear]) -> MakeLinear:
    """Make every layer so, whatever it is used for."""
    return lambda weight, bias, gelu, _: make(weight, bias, gelu)


_TIMED_TOKENS = 384
_TIMED_ROUNDS = 5


class PlainLinear:
    """By torch's public operators, on any device."""

    def __init__(self, weight: Tensor, bias: Tensor, gelu: str) -> None:
        self._weight, self._bias, self._gelu = weight, bias, gelu

    def plain(self, x: Tensor) -> Tensor:
        """One product."""
        return F.linear(x, self._weight, self._bias)

    def gelu(self, x: Tensor) -> Tensor:
        """Product, then GELU."""
        return F.gelu(self.plain(x), approximate=self._gelu)

    def added(self, x: Tensor, residual: Tensor) -> Tensor:
        """Product, then sum."""
        return self.plain(x) + residual


class PrepackedLinear:
    """By oneDNN, with weights in its own layout."""

    def __init__(self, weight: Tensor, bias: Tensor, gelu: str) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, 512)  # noqa: SLF001  see above
        self._bias, self._gelu = bias, gelu
        product = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001
        self._product, self._sum = product.default, product.binary  # named: choosing one reads a bias number by number

    def plain(self, x: Tensor) -> Tensor:
        """One fused product."""
        done: Tensor = self._product(x, self._weight, self._bias, "none", [], "")
        return done

    def gelu(self, x: Tensor) -> Tensor:
        """Product and GELU in one pass, on the accumulators in fp32."""
        done: Tensor = self._product(x, self._weight, self._bias, "gelu", [], self._gelu)
        return done

    def added(self, x: Tensor, residual: Tensor) -> Tensor:
        """Product and sum in one pass."""
        done: Tensor = self._sum(x, residual, self._weight, self._bias, "add")
        return done


PLAIN, PREPACKED = always(PlainLinear), always(PrepackedLinear)


def best_for(device: torch.device, dtype: torch.dtype) -> MakeLinear:
    """Prepacked on a CPU whose torch can do it and does it right, in fp32 where it is quicker, too; plain elsewhere."""
    if device.type != "cpu":
        return PLAIN
    weight, bias, x = torch.eye(32, dtype=dtype), torch.ones(32, dtype=dtype), torch.ones(4, 32, dtype=dtype)
    plain = PlainLinear(weight, bias, "none")
    try:
        packed = PrepackedLinear(weight.clone(), bias, "none")
        agree = torch.allclose(packed.gelu(x), plain.gelu(x)) and torch.allclose(packed.added(x, x), plain.added(x, x))
    except (RuntimeError, AttributeError, NotImplementedError):  # an older or a smaller build of torch
        return PLAIN
    if not agree:
        return PLAIN
    return PREPACKED if dtype is not torch.float32 else quicker


def quicker(weight: Tensor, bias: Tensor, gelu: str, use: Use) -> Linear:
    """A layer by whichever library is quicker for its shape and use here."""
    make = _timed(weight.shape[0], weight.shape[1], gelu, use)
    return make(weight, bias, gelu)


@lru_cache(64)
@torch.inference_mode()
def _timed(out: int, width: int, gelu: str, use: Use) -> type[PlainLinear | PrepackedLinear]:
    """Time both on numbers of no meaning; the plain one has to be quicker by a tenth to be taken."""
    x, residual = torch.ones(_TIMED_TOKENS, width), torch.ones(_TIMED_TOKENS, out)
    made = [make(torch.ones(out, width), torch.ones(out), gelu) for make in (PlainLinear, PrepackedLinear)]
    spent = [math.inf, math.inf]
    for _ in range(_TIMED_ROUNDS):
        for place, layer in enumerate(made):
            begun = time.perf_counter()
            layer.added(x, residual) if use == "added" else getattr(layer, use)(x)
            spent[place] = min(spent[place], time.perf_counter() - begun)
    return PlainLinear if spent[0] < 0.9 * spent[1] else PrepackedLinear
