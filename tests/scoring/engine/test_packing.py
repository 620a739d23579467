"""Packing and buckets, which know no device."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.scoring.engine.packing import TOKEN_BUCKETS, Bucket, bucket, pack
from es_rerank.scoring.tokens import Tokens


def _pair(length: int, first: int = 1, second_type: int = 0) -> Tokens:
    return Tokens(np.arange(10, 10 + length, dtype=np.int32), first, second_type)


def test_nothing_is_padded() -> None:
    """Ids one after another, positions from the family's first row in each pair, types from the second text on."""
    packed = pack([_pair(3, 2, 1), _pair(2, 1, 1)], 2)
    assert packed.data.tolist() == [10, 11, 12, 10, 11, 2, 3, 4, 2, 3, 0, 0, 1, 0, 1, 0, 3, 5]
    assert packed.bounds.tolist() == [0, 3, 5]
    assert (packed.tokens, packed.sequences, packed.longest, packed.pairs) == (5, 2, 3, 2)
    assert pack([], 0).bounds.tolist() == [0]


def test_filling_up_keeps_to_the_longest() -> None:
    """What fills a bucket up is no longer than the length that its graph was recorded for; the rest is empty."""
    packed = pack([_pair(3), _pair(2)], 2, Bucket(16, 8, 4))
    assert np.diff(packed.bounds).tolist() == [3, 2, 4, 4, 3, 0, 0, 0]
    assert (packed.tokens, packed.sequences, packed.longest, packed.pairs) == (16, 8, 4, 2)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=40))
def test_a_bucket_holds_its_batch(lengths: list[int]) -> None:
    """Where there is one: enough tokens, enough sequences, none too long; large batches have none."""
    found = bucket(sum(lengths), len(lengths), max(lengths))
    if sum(lengths) > TOKEN_BUCKETS[-1]:
        assert found is None
    if found is not None:
        packed = pack([_pair(length) for length in lengths], 2, found)
        sizes = np.diff(packed.bounds)
        assert (packed.tokens, packed.sequences, len(sizes)) == (found.tokens, found.sequences, found.sequences)
        assert sizes[: len(lengths)].tolist() == lengths
        assert sizes.min() >= 0
        assert sizes.max() <= found.longest
