"""Attention stays within a pair; views of neighbours with one length are taken together."""

from __future__ import annotations

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")
from es_rerank.scoring.engine import attention  # noqa: E402  needs torch

pytestmark = pytest.mark.model


def test_runs() -> None:
    """Neighbours of one length, empty ones too."""
    assert attention.runs([0, 3, 6, 8, 10, 10]) == [(0, 2, 3), (6, 2, 2), (10, 1, 0)]
    assert attention.runs([0]) == []


@pytest.mark.parametrize("bounds", [[0, 3, 6, 8, 13], [0, 4, 8], [0, 1]])
def test_equals_the_formula(bounds: list[int]) -> None:
    """softmax(QKᵀ/√d)V over the tokens of the own pair only, for all tokens and for the first of each pair."""
    torch.manual_seed(1)
    heads, depth = 2, 4
    hidden = heads * depth
    qkv = torch.randn(bounds[-1], 3 * hidden)
    found = attention.on_cpu(qkv, bounds, heads)
    query, key, value = (part.view(-1, heads, depth) for part in qkv.split(hidden, 1))
    for start, end in pairwise(bounds):
        for head in range(heads):
            weights = torch.softmax(query[start:end, head] @ key[start:end, head].T / depth**0.5, -1)
            expected = weights @ value[start:end, head]
            torch.testing.assert_close(found.view(-1, heads, depth)[start:end, head], expected)
    starts = torch.tensor(bounds[:-1])
    first = attention.first_on_cpu(qkv[starts, :hidden], qkv[:, hidden:].contiguous(), bounds, heads)
    torch.testing.assert_close(first, found[starts])


@pytest.mark.parametrize("length", [attention.SHORTEST, attention.SHORTEST + 1, attention.LONGEST, attention.LONGEST + 1])
def test_bf16_by_products_and_by_the_kernel(length: int) -> None:
    """On both sides of the bounds: within bf16's rounding of the same in fp32."""
    torch.manual_seed(2)
    qkv = torch.randn(2 * length, 3 * 64).bfloat16()
    exact = attention.on_cpu(qkv.float(), [0, length, 2 * length], 2)
    found = attention.on_cpu(qkv, [0, length, 2 * length], 2)
    assert found.dtype is torch.bfloat16
    assert (found.float() - exact).abs().max() <= 2**-8 * exact.abs().max() * 1.5
