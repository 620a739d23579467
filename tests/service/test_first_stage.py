"""Asking Elasticsearch for more: which answers can be used, which are handed on, which mean the original."""

from __future__ import annotations

import gzip

import pytest

from es_rerank.core.ports import Headers, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Reason
from es_rerank.errors import UpstreamBroken, UpstreamTooLarge, UpstreamUnreachable
from es_rerank.service import first_stage
from tests.fakes import FakeUpstream

JSON: Headers = ((b"Content-Type", b"application/vnd.elasticsearch+json;compatible-with=9"),)
WIDE = UpstreamRequest("POST", b"/books/_search", ())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (UpstreamResponse(400, JSON, b""), Reason.WIDENING_REFUSED),
        (UpstreamResponse(500, JSON, b""), Reason.WIDENING_REFUSED),
        (UpstreamResponse(302, JSON, b""), Reason.WIDENING_REFUSED),
        (UpstreamResponse(200, ((b"content-type", b"application/yaml"),), b""), Reason.NOT_JSON),
        (UpstreamResponse(200, (), b""), Reason.NOT_JSON),
        (UpstreamTooLarge("big"), Reason.TOO_LARGE),
        (UpstreamBroken("cut"), Reason.WIDENING_REFUSED),
    ],
)
async def test_what_means_the_original(given: UpstreamResponse | Exception, reason: Reason) -> None:
    """Each with its reason."""
    assert await first_stage.ask(FakeUpstream(lambda _: given), WIDE, 10) is reason


@pytest.mark.parametrize("status", [200, 201, *first_stage.HAND_ON])
async def test_what_comes_back(status: int) -> None:
    """Good answers, and those that no narrower search would mend."""
    given = UpstreamResponse(status, JSON, b"{}")
    assert await first_stage.ask(FakeUpstream(lambda _: given), WIDE, 10) is given


async def test_no_answer_at_all() -> None:
    """Is raised."""
    with pytest.raises(UpstreamUnreachable):
        await first_stage.ask(FakeUpstream(lambda _: UpstreamUnreachable("gone")), WIDE, 10)


def test_codings() -> None:
    """Undone within bounds, and applied again around a new body."""
    coded = UpstreamResponse(200, (*JSON, (b"Content-Encoding", b"gzip"), (b"Content-Length", b"1")), gzip.compress(b"abc"))
    assert first_stage.decoded(coded, 3) == b"abc"
    assert first_stage.decoded(coded, 2) is Reason.TOO_LARGE
    assert first_stage.decoded(UpstreamResponse(200, ((b"content-encoding", b"br"),), b"abc"), 3) is Reason.NOT_JSON
    made = first_stage.around(coded, b"new")
    assert gzip.decompress(made.body) == b"new"
    assert made.headers == (*coded.headers[:2], (b"content-length", b"%d" % len(made.body)))
