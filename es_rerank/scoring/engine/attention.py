"""Attention within each pair of a packed batch.

``qkv`` is ``(tokens, 3 × hidden)``, the output ``(tokens, hidden)``; a token attends to the tokens of its own pair and
to nothing else, so no mask and no padding exist. Softmax is computed in fp32 by every kernel used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own convention

SHORTEST, LONGEST = 80, 256
"""Between these lengths plain products beat torch's flash kernel in bf16 on a processor, by up to a third (measured)."""


def on_cpu(qkv: Tensor, bounds: Sequence[int], heads: int) -> Tensor:
    """Attend on views of ``qkv``, neighbours of one length together."""
    tokens, width = qkv.shape
    hidden = width // 3
    parts = []
    for start, count, length in runs(bounds):
        if not length:
            continue
        view = qkv[start : start + count * length].view(count, length, 3, heads, hidden // heads)
        query, key, value = view.permute(2, 0, 3, 1, 4)
        short = qkv.dtype is torch.bfloat16 and SHORTEST < length <= LONGEST
        done = _products(query, key, value) if short else F.scaled_dot_product_attention(query, key, value)
        parts.append(done.transpose(1, 2).reshape(count * length, hidden))
    return parts[0] if len(parts) == 1 else torch.cat(parts) if parts else qkv.new_empty(tokens, hidden)


def _products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Softmax(QKᵀ/√d)V with scores and softmax in fp32, ``(pairs, heads, length, depth)`` in and out."""
    scores = (query.float() * query.shape[-1] ** -0.5) @ key.float().transpose(-1, -2)
    return torch.softmax(scores, -1).to(value.dtype) @ value


def first_on_cpu(query: Tensor, keys_values: Tensor, bounds: Sequence[int], heads: int) -> Tensor:
    """The same where only the first token of each pair asks: ``(pairs, hidden)`` and ``(tokens, 2 × hidden)``."""
    hidden = query.shape[1]
    parts, asked = [], 0
    for start, count, length in runs(bounds):
        mine = query[asked : asked + count].view(count, 1, heads, hidden // heads).transpose(1, 2)
        asked += count
        if not length:  # an empty sequence fills up a batch; its row means nothing
            parts.append(query.new_zeros(count, hidden))
            continue
        view = keys_values[start : start + count * length].view(count, length, 2, heads, hidden // heads)
        key, value = view.permute(2, 0, 3, 1, 4)
        parts.append(F.scaled_dot_product_attention(mine, key, value).transpose(1, 2).reshape(count, hidden))
    return torch.cat(parts)


def runs(bounds: Sequence[int]) -> list[tuple[int, int, int]]:
    """(start, how many, length) of neighbouring sequences of one length."""
    found, start = [], 0
    for length, group in groupby(end - begin for begin, end in pairwise(bounds)):
        count = len(list(group))
        found.append((start, count, length))
        start += count * length
    return found


def on_cuda(qkv: Tensor, bounds: Tensor, longest: int, heads: int) -> Tensor:
    """FlashAttention over variable lengths, out of torch's own wheel; fp16 or bf16."""
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  a CUDA build has it

    query, key, value = qkv.view(qkv.shape[0], 3, heads, -1).unbind(1)
    done = varlen_attn(query, key, value, bounds, bounds, longest, longest)
    return cast("Tensor", done).reshape(qkv.shape[0], -1)


def first_on_cuda(query: Tensor, keys_values: Tensor, bounds: Tensor, longest: int, heads: int) -> Tensor:
    """The same where only the first token of each sequence asks; an empty sequence gives zeros."""
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  a CUDA build has it

    key, value = keys_values.view(keys_values.shape[0], 2, heads, -1).unbind(1)
    mine = query.view(query.shape[0], heads, -1)
    one_each = torch.arange(len(bounds), device=bounds.device, dtype=torch.int32)
    done = varlen_attn(mine, key, value, one_each, bounds, 1, longest)
    return cast("Tensor", done).reshape(query.shape[0], -1)
