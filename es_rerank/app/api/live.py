"""The Live page: what this process does, by its own metrics. ``/live.json`` is the same for programs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from es_rerank.core.reasons import MEANINGS, Reason

if TYPE_CHECKING:
    from es_rerank.app.build import Application

SPANS = {60: "the last minute", 300: "the last 5 minutes", 900: "the last 15 minutes"}
_WIDTH, _HEIGHT = 600, 80


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(dependencies=[Depends(application.access.reads)])

    @routes.get("/live", summary="Throughput, latency and outcomes, as a page", response_class=HTMLResponse)
    def page(request: Request, seconds: Annotated[int, Query(ge=5, le=900)] = 300) -> Response:
        found = application.history.recent(time.monotonic(), seconds)
        return application.pages.render(
            request,
            "live",
            recent=found,
            seconds=seconds,
            spans=SPANS,
            meanings={reason.value: MEANINGS[reason] for reason in Reason},
            searches=line(found.series),
            slow=line(found.slow),
        )

    @routes.get("/live.json", summary="Throughput, latency and outcomes of the last seconds")
    def figures(seconds: Annotated[int, Query(ge=5, le=900)] = 300) -> dict[str, Any]:
        return dict(msgspec.to_builtins(application.history.recent(time.monotonic(), seconds)))

    return routes


def line(values: list[float]) -> str:
    """The points of a polyline, oldest left, the greatest value at the top."""
    most, step = max(values, default=0.0) or 1.0, _WIDTH / max(len(values) - 1, 1)
    return " ".join(f"{place * step:.1f},{_HEIGHT - value / most * (_HEIGHT - 4):.1f}" for place, value in enumerate(values))
