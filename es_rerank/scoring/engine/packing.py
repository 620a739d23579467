"""Many pairs → one row of tokens without padding.

``[T]`` token ids of all pairs one after another; ``bounds`` (FlashAttention's ``cu_seqlens``) holds the start of each
pair and the end of the last, ``(n_pairs + 1,)``. Positions restart with each pair. All of it lies in one array, so that
one copy takes a batch to a device. Pure numpy; knows no device.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from es_rerank.scoring.tokens import Ids, Tokens

TOKEN_BUCKETS = (128, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048)
LENGTH_BUCKETS = (64, 128, 256, 512, 1024)


class Packed(msgspec.Struct, frozen=True, eq=False):
    """A batch as one int32 array: ids, positions and types, ``(tokens,)`` each, then bounds, ``(sequences + 1,)``.

    ``longest`` bounds the length of every sequence; the first ``pairs`` sequences are real, others only fill up.
    """

    data: Ids
    tokens: int
    sequences: int
    longest: int
    pairs: int

    @property
    def bounds(self) -> Ids:
        """Where each sequence starts, and where the last one ends."""
        return self.data[3 * self.tokens :]


class Bucket(msgspec.Struct, frozen=True):
    """A size for which one CUDA graph is recorded: everything in it is baked into the graph, ``longest`` too."""

    tokens: int
    sequences: int
    longest: int


def bucket(total: int, pairs: int, longest: int) -> Bucket | None:
    """The smallest bucket that holds such a batch; None: it is large enough to be run without a graph.

    The sequence count leaves room for those that fill up: each of them is at most ``longest`` tokens long.
    """
    tokens = next((size for size in TOKEN_BUCKETS if size >= total), None)
    length = next((size for size in LENGTH_BUCKETS if size >= longest), None)
    if tokens is None or length is None:
        return None
    room = max(tokens // 16, 8)
    needed = pairs + -(-(tokens - total) // length)
    return Bucket(tokens, room, length) if needed <= room else None


def pack(pairs: Sequence[Tokens], first_position: int, into: Bucket | None = None) -> Packed:
    """Lay the pairs end to end; with a bucket, fill up to its size with sequences of one repeated token.

    A filling sequence is never longer than the bucket's ``longest``; those left over are empty.
    """
    lengths = [len(pair.ids) for pair in pairs]
    longest = max(lengths, default=0)
    fill: list[int] = []
    if into is not None:
        left = into.tokens - sum(lengths)
        longest = into.longest
        while left > 0:
            fill.append(min(left, longest))
            left -= fill[-1]
        fill += [0] * (into.sequences - len(lengths) - len(fill))
    sizes = np.array(lengths + fill, dtype=np.int32)
    total = int(sizes.sum())
    data = np.zeros(3 * total + len(sizes) + 1, dtype=np.int32)
    ids, positions, types, bounds = data[:total], data[total : 2 * total], data[2 * total : 3 * total], data[3 * total :]
    np.cumsum(sizes, out=bounds[1:])
    positions[:] = np.arange(total, dtype=np.int32) - np.repeat(bounds[:-1], sizes) + first_position
    for pair, start in zip(pairs, bounds, strict=False):
        end = start + len(pair.ids)
        ids[start:end] = pair.ids
        types[start + pair.first : end] = pair.second_type
    return Packed(data, total, len(sizes), longest, len(pairs))
