"""The forward pass: XLM-RoBERTa's and BERT's cross-encoders over a packed batch.

A post-norm transformer encoder (Vaswani et al. 2017; Devlin et al. 2019) with a classification head on the first token
of each pair. The last layer asks for that token only: keys and values of all tokens, one query a pair. Layer norm and
softmax are computed in fp32 whatever the weights are, the head in fp32 altogether. Holds weights; knows no text.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own convention

from es_rerank.scoring.engine import attention
from es_rerank.scoring.engine.checkpoint import Checkpoint, Shape
from es_rerank.scoring.engine.linear import Linear, MakeLinear, Use
from es_rerank.scoring.engine.packing import Packed

Read = Callable[[str], Tensor]


class Norm:
    """Layer norm with weights in fp32; what goes in and out keeps its type."""

    def __init__(self, weight: Tensor, bias: Tensor, epsilon: float) -> None:
        self._weight, self._bias, self._epsilon = weight, bias, epsilon
        self._short: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise the last axis of ``(tokens, hidden)``."""
        weight, bias = self._weight, self._bias
        if x.is_cuda and x.dtype is not torch.float32:  # CUDA's kernel wants one type; it computes in fp32 all the same
            self._short = self._short or (weight.to(x.dtype), bias.to(x.dtype))
            weight, bias = self._short
        return F.layer_norm(x, (x.shape[-1],), weight, bias, self._epsilon)


class Layer:
    """One encoder layer."""

    def __init__(self, shape: Shape, read: Read, name: str, make: MakeLinear, norm: Callable[[str], Norm]) -> None:
        self._heads = shape.heads
        at = f"{name}.attention.self"
        self._qkv = _joined(read, make, [f"{at}.query", f"{at}.key", f"{at}.value"])
        self._finish(shape, read, name, make, norm)

    def _finish(self, shape: Shape, read: Read, name: str, make: MakeLinear, norm: Callable[[str], Norm]) -> None:
        self._out = _joined(read, make, [f"{name}.attention.output.dense"], "added")
        self._up = _joined(read, make, [f"{name}.intermediate.dense"], "gelu", shape.gelu)
        self._down = _joined(read, make, [f"{name}.output.dense"], "added")
        self._norms = norm(f"{name}.attention.output.LayerNorm"), norm(f"{name}.output.LayerNorm")

    def __call__(self, x: Tensor, batch: Batch) -> Tensor:
        """Map ``(tokens, hidden)`` to the same shape."""
        qkv = self._qkv.plain(x)
        if x.is_cuda:
            mixed = attention.on_cuda(qkv, batch.bounds, batch.longest, self._heads)
        else:
            mixed = attention.on_cpu(qkv, batch.places, self._heads)
        return self._forward(mixed, x)

    def _forward(self, mixed: Tensor, x: Tensor) -> Tensor:
        x = self._norms[0](self._out.added(mixed, x))
        return self._norms[1](self._down.added(self._up.gelu(x), x))


class LastLayer(Layer):
    """The last layer, for the first token of each pair only."""

    def __init__(self, shape: Shape, read: Read, name: str, make: MakeLinear, norm: Callable[[str], Norm]) -> None:
        self._heads = shape.heads
        at = f"{name}.attention.self"
        self._query = _joined(read, make, [f"{at}.query"])
        self._keys_values = _joined(read, make, [f"{at}.key", f"{at}.value"])
        self._finish(shape, read, name, make, norm)

    def __call__(self, x: Tensor, batch: Batch) -> Tensor:
        """Map ``(tokens, hidden)`` to ``(sequences, hidden)``."""
        first = x.index_select(0, batch.first)
        query, keys_values = self._query.plain(first), self._keys_values.plain(x)
        if x.is_cuda:
            mixed = attention.first_on_cuda(query, keys_values, batch.bounds, batch.longest, self._heads)
        else:
            mixed = attention.first_on_cpu(query, keys_values, batch.places, self._heads)
        return self._forward(mixed, first)


class Batch:
    """A packed batch on its device."""

    def __init__(self, packed: Packed, data: Tensor) -> None:
        """``data`` is ``packed.data`` on the device."""
        total = packed.tokens
        self.ids, self.positions, self.types = data[: 3 * total].view(3, total).unbind(0)
        self.bounds = data[3 * total :]
        self.longest = packed.longest
        self.first = self.bounds[:-1].clamp(max=max(total - 1, 0))
        self.places: list[int] = packed.bounds.tolist() if not data.is_cuda else []


class CrossEncoder:
    """Weights of one model on one device."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype, make: MakeLinear) -> None:
        """Load; raises ModelLoadError."""
        shape = self.shape = checkpoint.shape
        self.device, self.dtype = device, dtype

        def read(name: str) -> Tensor:
            return checkpoint.tensor(f"{shape.stem}.{name}", dtype).to(device)

        def exact(name: str) -> Tensor:
            return checkpoint.tensor(name, torch.float32).to(device)

        def norm(name: str) -> Norm:
            return Norm(exact(f"{shape.stem}.{name}.weight"), exact(f"{shape.stem}.{name}.bias"), shape.epsilon)

        self._words = read("embeddings.word_embeddings.weight")
        self._positions = read("embeddings.position_embeddings.weight")
        self._types = read("embeddings.token_type_embeddings.weight")
        self._norm = norm("embeddings.LayerNorm")
        names = [f"encoder.layer.{number}" for number in range(shape.layers)]
        self._layers = [Layer(shape, read, name, make, norm) for name in names[:-1]]
        self._layers.append(LastLayer(shape, read, names[-1], make, norm))
        bert = shape.stem == "bert"
        dense, out = ("bert.pooler.dense", "classifier") if bert else ("classifier.dense", "classifier.out_proj")
        self._head = [(exact(f"{name}.weight"), exact(f"{name}.bias")) for name in (dense, out)]

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Tensor:
        """Give the logit of each sequence, fp32, ``(sequences,)``; rows of sequences that only fill up mean nothing."""
        x = self._words.index_select(0, batch.ids).float()
        x += self._positions.index_select(0, batch.positions)
        x += self._types.index_select(0, batch.types)
        x = self._norm(x).to(self.dtype)
        for layer in self._layers:
            x = layer(x, batch)
        (weight, bias), (out_weight, out_bias) = self._head
        pooled = torch.tanh(F.linear(x.float(), weight, bias))
        return F.linear(pooled, out_weight, out_bias).squeeze(-1)


def _joined(read: Read, make: MakeLinear, names: list[str], use: Use = "plain", gelu: str = "none") -> Linear:
    """One layer out of several with the same input, their outputs side by side."""
    weights = [read(f"{name}.weight") for name in names]
    biases = [read(f"{name}.bias") for name in names]
    return make(torch.cat(weights) if len(weights) > 1 else weights[0], torch.cat(biases), gelu, use)
