"""The compare page: Elasticsearch's order and the reranked one, side by side, for one query.

Rendered on the server, without a script. Asks with our own credentials where there are some, else with the visitor's:
a browser is asked for a login when Elasticsearch asks for one. Everything shown is escaped.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers, UpstreamRequest
from es_rerank.core.reasons import MEANINGS, Disposition, Passthrough
from es_rerank.core.resolve import Resolved
from es_rerank.errors import EsRerankError
from es_rerank.search import answer, passage, route, variants
from es_rerank.search.answer import FirstStage
from es_rerank.search.fusion import Ranked, first_stage
from es_rerank.service.served import Served

if TYPE_CHECKING:
    from es_rerank.app.build import Application

SHOWN = 10
EXCERPT = 280
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_pages = Environment(loader=PackageLoader("es_rerank.app", "pages"), autoescape=True)


class Row(msgspec.Struct, frozen=True):
    """One hit on the page. ``rank`` counts from 1; ``moved`` is positive for one that rose; ``part``: where it was read."""

    rank: int
    identity: str
    score: str
    excerpt: str
    moved: int = 0
    logit: str = ""
    best: bool = False
    part: str = ""


class Comparison(msgspec.Struct, frozen=True):
    """What the page shows for one query."""

    first: list[Row]
    reranked: list[Row]
    outcome: str
    explanation: str
    timing: str
    total_ms: float


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    def home() -> RedirectResponse:
        return RedirectResponse("/compare")

    @routes.get("/static/style.css", include_in_schema=False)
    def style() -> Response:
        text = _pages.loader.get_source(_pages, "style.css")[0] if _pages.loader else ""
        return Response(text, media_type="text/css; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})

    @routes.get("/compare", summary="Both orders of one query, side by side", response_class=HTMLResponse)
    async def compare(
        index: Annotated[str, Query(max_length=500)] = "",
        q: Annotated[str, Query(max_length=1000)] = "",
        authorization: Annotated[str | None, Header()] = None,
    ) -> HTMLResponse:
        login = application.own_authorization
        if not login and authorization is not None:
            login = ((b"authorization", authorization.encode("latin-1")),)
        names = [name for policy in application.policies() for name in policy.indices]
        index = index or next((name for name in names if "*" not in name), "")
        comparison, problem, status = None, "", 200
        if q.strip():
            comparison, problem, status = await _compared(application, index, q.strip(), login)
        page = _pages.get_template("compare.html").render(
            index=index, names=names, q=q, comparison=comparison, problem=problem, state=application.readiness
        )
        asks = {"WWW-Authenticate": 'Basic realm="Elasticsearch"'} if status == 401 else {}  # noqa: PLR2004  unauthorised
        return HTMLResponse(page, status, headers=_SECURITY | asks)

    return routes


async def _compared(application: Application, index: str, query: str, login: Headers) -> tuple[Comparison | None, str, int]:
    """Ask once through the service; a problem in words and a status where there is nothing to compare."""
    target = f"/{route.segment(index)}/_search".encode()
    found = route.parse("POST", target)
    covered = application.service.covers(found) if found else None
    if found is None or not isinstance(covered, Resolved):
        why = MEANINGS[covered.reason] if isinstance(covered, Passthrough) else "this is no name of an index"
        return None, f"{index}: {why}.", 200
    covered = variants.outside(covered)
    lines = ((b"content-type", b"application/json"), *login)
    original = UpstreamRequest("POST", target, lines, _body(covered.lead, query), repeatable=True)
    begun = time.monotonic()
    try:
        served = await application.service.search(original, (), found, covered)
        stage, status = await _stage(application, original, served)
    except EsRerankError as fault:
        return None, f"{fault}.", 200
    if stage is None:
        told = "Elasticsearch wants a login." if status == 401 else f"Elasticsearch answered {status}."  # noqa: PLR2004
        return None, told, status if status == 401 else 200  # noqa: PLR2004
    return _comparison(stage, served, covered, (time.monotonic() - begun) * 1000), "", 200


def _body(policy: IndexPolicy, query: str) -> bytes:
    """A plain search over the fields that the model reads."""
    fields = list(policy.passage.named_fields)
    search = {"query": {"multi_match": {"query": query, "fields": fields, "lenient": True}}, "size": SHOWN}
    return msgspec.json.encode(search)


async def _stage(application: Application, original: UpstreamRequest, served: Served) -> tuple[FirstStage | None, int]:
    """The first stage as the service saw it, or as Elasticsearch gives it to the plain request."""
    if served.stage is not None:
        return served.stage, 200
    got = await application.upstream.send(original, timeout_s=30, max_bytes=32 * 1024 * 1024)
    return (answer.read(got.body), 200) if got.status == 200 else (None, got.status)  # noqa: PLR2004  found


def _comparison(stage: FirstStage, served: Served, covered: Resolved, total_ms: float) -> Comparison:
    texts = passage.texts_of(stage, len(stage.hits), covered)
    bests = {place: found.best for place, found in enumerate(served.judged) if found.best is not None}
    order = list(served.order) or first_stage(len(stage.hits))
    times = served.times
    parts = (("Elasticsearch", times.upstream), ("queue", times.queue), ("model", times.model))
    timing = " · ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in parts)
    before = [_row(stage, texts, rank, Ranked(rank - 1), order, None) for rank in range(1, min(len(texts), SHOWN) + 1)]
    after = [
        _row(stage, texts, rank, ranked, order, bests.get(ranked.place)) for rank, ranked in enumerate(order[:SHOWN], 1)
    ]
    return Comparison(before, after, served.disposition.header(), _explained(served.disposition), timing, total_ms)


def _row(
    stage: FirstStage, texts: list[str], rank: int, ranked: Ranked, order: list[Ranked], span: tuple[int, int] | None
) -> Row:
    hit = stage.hits[ranked.place]
    identity = stage.raw(hit, "_id")
    score = hit.score if ranked.score is None else ranked.score
    logit = "" if ranked.logit is None else f"{ranked.logit:.3f}"
    moved = ranked.place + 1 - rank
    best = bool(order) and order[0].place == ranked.place and order[0].logit is not None
    text = texts[ranked.place]
    start, end = span or (0, len(text))
    part = "" if span is None else f"best passage: characters {start} to {end} of {len(text)}"
    return Row(rank, str(identity), f"{score:.4g}", text[start:end][:EXCERPT], moved, logit, best, part)


def _explained(disposition: Disposition) -> str:
    return MEANINGS[disposition.reason] if disposition.reason else ""
