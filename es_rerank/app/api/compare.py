"""The compare page: Elasticsearch's order and the reranked one, side by side, for one query or one whole search.

Says what was done and what the plan was; a search that passed through is shown as Elasticsearch answers it, with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import HTMLResponse

from es_rerank.app.api import asking
from es_rerank.app.api.asking import SHOWN, Asked, Problem
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import MEANINGS
from es_rerank.search import widen
from es_rerank.search.fusion import Ranked
from es_rerank.search.plan import RerankPlan

if TYPE_CHECKING:
    from es_rerank.app.build import Application

EXCERPT = 280
DECIDED = (
    "words for the model",
    "rank window",
    "hits asked of Elasticsearch",
    "page (from + size)",
    "fields that are read",
    "most tokens of a pair",
    "fusion",
    "activation",
    "time for the model",
    "min_score",
    "fields asked for besides",
    "the client's k",
    "pinned hits",
)
"""What a plan decides, in the order in which the page tells it."""
MOST_BODY = 8_000


class Row(msgspec.Struct, frozen=True):
    """One hit on the page. ``rank`` counts from 1; ``moved`` is positive for one that rose; ``part``: where it was read."""

    rank: int
    identity: str
    score: str
    excerpt: str
    moved: int = 0
    logit: str = ""
    best: bool = False
    part: tuple[int, int, int] | None = None


class Comparison(msgspec.Struct, frozen=True):
    """What the page shows for one query. ``plan``: names and values; ``sent``: the search that Elasticsearch was asked."""

    first: list[Row]
    reranked: list[Row]
    outcome: str
    explanation: str
    times_ms: dict[str, float]
    total_ms: float
    policy: str
    plan: list[tuple[str, str]]
    sent: str


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(dependencies=[Depends(application.access.reads)])

    @routes.get("/compare", summary="Both orders of one query, side by side", response_class=HTMLResponse)
    async def compare(
        request: Request,
        index: Annotated[str, Query(max_length=500)] = "",
        q: Annotated[str, Query(max_length=1000)] = "",
        body: Annotated[str, Query(max_length=MOST_BODY)] = "",
        authorization: Annotated[str | None, Header()] = None,
    ) -> HTMLResponse:
        names = [name for policy in application.policies() for name in policy.indices]
        index = index or next((name for name in names if "*" not in name), "")
        found: Asked | Problem | None = None
        if q.strip() or body.strip():
            login = asking.login(application, authorization)
            whole = body.strip().encode() or None
            found = await asking.ask(application, index, q.strip(), login, whole)
        problem = found if isinstance(found, Problem) else Problem("")
        return application.pages.render(
            request,
            "compare",
            problem.status,
            asking.WANTS_LOGIN if problem.status == 401 else {},  # noqa: PLR2004  unauthorised
            index=index,
            names=names,
            q=q,
            body=body,
            comparison=_comparison(found) if isinstance(found, Asked) else None,
            problem=problem.told,
        )

    return routes


def _comparison(asked: Asked) -> Comparison:
    served, texts, order = asked.served, asked.texts, asked.order
    bests = {place: found.best for place, found in enumerate(served.judged) if found.best is not None}
    times = served.times
    before = [_row(asked, rank, Ranked(rank - 1), None) for rank in range(1, min(len(texts), SHOWN) + 1)]
    after = [_row(asked, rank, ranked, bests.get(ranked.place)) for rank, ranked in enumerate(order[:SHOWN], 1)]
    disposition, plan = served.disposition, served.plan
    return Comparison(
        first=before,
        reranked=after,
        outcome=disposition.header(),
        explanation=MEANINGS[disposition.reason] if disposition.reason else "",
        times_ms={name: 1000 * getattr(times, name) for name in ("upstream", "queue", "model")},
        total_ms=asked.total_ms,
        policy=asked.covered.lead.name,
        plan=[] if plan is None else _told(plan),
        sent="" if plan is None or served.stage is None else _sent(widen.widen(plan, asked.request)),
    )


def _sent(request: UpstreamRequest) -> str:
    """A request without its header lines."""
    body = request.body if isinstance(request.body, bytes) else b""
    return f"{request.method} {request.target.decode('ascii', 'replace')}\n{body.decode('utf-8', 'replace')}"


def _told(plan: RerankPlan) -> list[tuple[str, str]]:
    """What was decided for the search, in the policy's own words."""
    policy = plan.policy
    passages = ", ".join(dict.fromkeys(name for one in plan.resolved.passages for name in one.named_fields))
    values = [
        plan.query,
        f"{plan.window}",
        f"{plan.upstream_size}",
        f"{plan.start} + {plan.size}",
        passages,
        f"{policy.passage.max_length}",
        policy.fusion.method,
        policy.score.activation,
        f"{plan.timeout_ms} ms",
        "" if policy.min_score is None else f"{policy.min_score}",
        ", ".join(plan.added_fields),
        "" if plan.client_k is None else f"{plan.client_k}",
        ", ".join(identity for _, identity in plan.pins),
    ]
    return [(name, value) for name, value in zip(DECIDED, values, strict=True) if value]


def _row(asked: Asked, rank: int, ranked: Ranked, span: tuple[int, int] | None) -> Row:
    order, text = asked.order, asked.texts[ranked.place]
    score = asked.stage.hits[ranked.place].score if ranked.score is None else ranked.score
    start, end = span or (0, len(text))
    return Row(
        rank=rank,
        identity=asked.identity(ranked.place),
        score=f"{score:.4g}" if score else "–",
        excerpt=text[start:end][:EXCERPT],
        moved=ranked.place + 1 - rank,
        logit="" if ranked.logit is None else f"{ranked.logit:.3f}",
        best=bool(order) and order[0].place == ranked.place and order[0].logit is not None,
        part=None if span is None else (start, end, len(text)),
    )
