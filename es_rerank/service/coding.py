"""Content codings of bodies that have to be read: none, gzip and deflate.

Decoding is bounded, so that a small compressed body cannot become a large one. Does not touch bodies that only pass.
"""

from __future__ import annotations

import zlib

from es_rerank.core.ports import UpstreamRequest
from es_rerank.search.headers import first

MAX_SEARCH_BODY = 8 * 1024 * 1024
"""Larger request bodies pass through; real searches have kilobytes."""

_LEVEL = 1
"""Answers are compressed again as fast as possible; Elasticsearch's own level is 3."""


class Undecodable(ValueError):
    """A coding that is not known, a body that is broken, or one that grows past its limit."""


class TooLong(Undecodable):
    """The decoded body grows past its limit."""


def body_of(original: UpstreamRequest) -> bytes:
    """The body of a search without its coding, empty where there is none; raises Undecodable."""
    raw = original.body if isinstance(original.body, bytes) else b""
    return decode(raw, first(original.headers, b"content-encoding"), MAX_SEARCH_BODY)


def decode(body: bytes, coding: bytes | None, max_bytes: int) -> bytes:
    """Undo one coding; raises Undecodable, and TooLong past ``max_bytes``."""
    name = (coding or b"identity").strip().lower()
    if name in {b"", b"identity"}:
        return body
    if name not in {b"gzip", b"x-gzip", b"deflate"}:
        raise Undecodable(name)
    plain = b""
    rest = body
    try:
        while rest:  # gzip allows several members
            engine = zlib.decompressobj(zlib.MAX_WBITS | 32)  # detects gzip and zlib by their first bytes
            plain += engine.decompress(rest, max_bytes + 1 - len(plain))
            if len(plain) > max_bytes:
                raise TooLong(name)
            if not engine.eof:
                raise Undecodable(name)
            rest = engine.unused_data
    except zlib.error as exc:
        raise Undecodable(name) from exc
    return plain


def encode(body: bytes, coding: bytes | None) -> bytes:
    """Apply the coding that :func:`decode` undid; raises Undecodable for a coding that is not known."""
    name = (coding or b"identity").strip().lower()
    if name in {b"", b"identity"}:
        return body
    window = zlib.MAX_WBITS if name == b"deflate" else zlib.MAX_WBITS | 16
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, window)
    return engine.compress(body) + engine.flush()
