"""Wait 1: Elasticsearch is asked for more than the client wants, and what its answer is good for.

Does not read hits; a :class:`Reason` means that the original request has to be sent instead.
"""

from __future__ import annotations

from es_rerank.core.ports import Upstream, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Reason
from es_rerank.errors import UpstreamBroken, UpstreamTooLarge
from es_rerank.search import headers
from es_rerank.service import coding
from es_rerank.service.served import Complete

HAND_ON = frozenset({401, 403, 404, 405, 406, 429, 502, 503, 504})
"""Answers that have nothing to do with how many hits were asked for, or that must not be asked for twice (rule R3)."""


async def ask(upstream: Upstream, wide: UpstreamRequest, max_bytes: int) -> UpstreamResponse | Reason:
    """Ask; an answer is either a 200 in JSON or one to be handed on as it is.

    Raises UpstreamUnreachable and UpstreamTimeout, where there is no answer at all.
    """
    try:
        got = await upstream.send(wide, timeout_s=None, max_bytes=max_bytes)
    except UpstreamTooLarge:
        return Reason.TOO_LARGE
    except UpstreamBroken:
        return Reason.WIDENING_REFUSED
    if got.status in HAND_ON:
        return got
    if not 200 <= got.status < 300:  # noqa: PLR2004  success
        return Reason.WIDENING_REFUSED
    return got if headers.is_json(headers.first(got.headers, b"content-type")) else Reason.NOT_JSON


def decoded(got: UpstreamResponse, max_bytes: int) -> bytes | Reason:
    """The body of an answer without its content coding."""
    try:
        return coding.decode(got.body, _coding(got), max_bytes)
    except coding.TooLong:
        return Reason.TOO_LARGE
    except coding.Undecodable:
        return Reason.NOT_JSON


def around(got: UpstreamResponse, body: bytes) -> Complete:
    """Elasticsearch's status and lines around a new body, in the coding that it had."""
    coded = coding.encode(body, _coding(got))
    kept = headers.drop(headers.homeward(got.headers), frozenset({b"content-length"}))
    return Complete(got.status, (*kept, (b"content-length", b"%d" % len(coded))), coded)


def _coding(got: UpstreamResponse) -> bytes | None:
    return headers.first(got.headers, b"content-encoding")
