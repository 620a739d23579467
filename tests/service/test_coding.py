"""Content codings."""

from __future__ import annotations

import gzip
import zlib

import pytest

from es_rerank.service.coding import TooLong, Undecodable, decode, encode

TEXT = b"snow " * 1000


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (TEXT, None),
        (TEXT, b"identity"),
        (gzip.compress(TEXT), b"gzip"),
        (gzip.compress(TEXT[:2500]) + gzip.compress(TEXT[2500:]), b"GZIP "),
        (zlib.compress(TEXT), b"deflate"),
    ],
)
def test_decode(body: bytes, coding: bytes | None) -> None:
    """None, gzip with several members, deflate."""
    assert decode(body, coding, 10_000) == TEXT


@pytest.mark.parametrize("coding", [None, b"gzip", b"deflate"])
def test_there_and_back(coding: bytes | None) -> None:
    """What is encoded decodes again."""
    assert decode(encode(TEXT, coding), coding, 10_000) == TEXT


@pytest.mark.parametrize(("body", "coding"), [(b"x", b"br"), (b"nonsense", b"gzip"), (gzip.compress(TEXT)[:-9], b"gzip")])
def test_undecodable(body: bytes, coding: bytes) -> None:
    """Unknown, broken, cut short."""
    with pytest.raises(Undecodable):
        decode(body, coding, 10_000)


def test_a_small_body_cannot_become_a_large_one() -> None:
    """Decoding stops at the limit."""
    with pytest.raises(TooLong):
        decode(gzip.compress(b"0" * 10_000_000), b"gzip", 1000)
