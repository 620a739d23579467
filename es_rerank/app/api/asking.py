"""One query of a page, asked as a client would ask it: through the service, with both orders in hand afterwards.

With our own login where there is one, else with the visitor's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers, UpstreamRequest
from es_rerank.core.reasons import MEANINGS, Passthrough
from es_rerank.core.resolve import Resolved
from es_rerank.errors import AnswerUnreadable, EsRerankError
from es_rerank.search import answer, passage, route, variants
from es_rerank.search.answer import FirstStage
from es_rerank.search.fusion import Ranked, first_stage
from es_rerank.service.served import Served

if TYPE_CHECKING:
    from es_rerank.app.build import Application

SHOWN = 10
WANTS_LOGIN = {"WWW-Authenticate": 'Basic realm="Elasticsearch"'}
_MOST_BYTES = 32 * 1024**2
_UNAUTHORISED = 401
_FOUND = 200


class Problem(msgspec.Struct, frozen=True):
    """Why there is nothing to show, in words; ``status``: of the page."""

    told: str
    status: int = _FOUND


class Asked(msgspec.Struct, frozen=True):
    """What came of a query. ``order``: the reranked one, else Elasticsearch's; ``texts``: what is read of each hit."""

    request: UpstreamRequest
    covered: Resolved
    served: Served
    stage: FirstStage
    texts: list[str]
    order: list[Ranked]
    total_ms: float

    def identity(self, place: int) -> str:
        """The ``_id`` of a hit."""
        return str(self.stage.raw(self.stage.hits[place], "_id"))


def login(application: Application, authorization: str | None) -> Headers:
    """Our own, else the visitor's; a key for these pages is none of Elasticsearch's."""
    if application.own_authorization or authorization is None or authorization.startswith("Bearer "):
        return application.own_authorization
    return ((b"authorization", authorization.encode("latin-1")),)


async def ask(
    application: Application, index: str, query: str, lines: Headers, body: bytes | None = None
) -> Asked | Problem:
    """Ask ``query`` over the fields that the policy reads, or a whole search ``body``."""
    target = f"/{route.segment(index)}/_search".encode()
    found = route.parse("POST", target)
    covered = application.service.covers(found) if found else None
    if found is None or not isinstance(covered, Resolved):
        why = MEANINGS[covered.reason] if isinstance(covered, Passthrough) else "this is no name of an index"
        return Problem(f"{index}: {why}.")
    covered = variants.outside(covered)
    headers = ((b"content-type", b"application/json"), *lines)
    request = UpstreamRequest("POST", target, headers, body or _body(covered.lead, query), repeatable=True)
    begun = time.monotonic()
    try:
        served = await application.service.search(request, (), found, covered)
        stage, status = await _stage(application, request, served)
    except EsRerankError as fault:
        return Problem(f"{fault}.")
    if stage is None:
        told = "Elasticsearch wants a login." if status == _UNAUTHORISED else f"Elasticsearch answered {status}."
        return Problem(told, _UNAUTHORISED if status == _UNAUTHORISED else _FOUND)
    texts = passage.texts_of(stage, len(stage.hits), covered)
    order = list(served.order) or first_stage(len(stage.hits))
    return Asked(request, covered, served, stage, texts, order, (time.monotonic() - begun) * 1000)


def _body(policy: IndexPolicy, query: str) -> bytes:
    """A plain search over the fields that the model reads."""
    fields = list(policy.passage.named_fields)
    search = {"query": {"multi_match": {"query": query, "fields": fields, "lenient": True}}, "size": SHOWN}
    return msgspec.json.encode(search)


async def _stage(application: Application, request: UpstreamRequest, served: Served) -> tuple[FirstStage | None, int]:
    """The first stage as the service saw it, or as Elasticsearch gives it to the plain request."""
    if served.stage is not None:
        return served.stage, _FOUND
    got = await application.upstream.send(served.request or request, timeout_s=30, max_bytes=_MOST_BYTES)
    return (_readable(got.body), _FOUND) if got.status == _FOUND else (None, got.status)


def _readable(body: bytes) -> FirstStage:
    """An answer to be looked at, not rewritten: hits without a score (of a search that sorts) have 0."""
    try:
        return answer.read(body)
    except AnswerUnreadable:
        try:
            whole = msgspec.json.decode(body)
            for hit in whole["hits"]["hits"]:
                hit["_score"] = hit.get("_score") or 0.0
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AnswerUnreadable("this answer holds no hits that could be shown") from None
        return answer.read(msgspec.json.encode(whole))
