"""``/healthz``, ``/readyz``, ``/metrics``: no key needed, nothing secret in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from es_rerank import __version__

if TYPE_CHECKING:
    from es_rerank.app.build import Application


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter()

    @routes.get("/healthz", summary="Whether the process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @routes.get("/readyz", summary="Whether the model is warm; 503 until then")
    def readyz() -> JSONResponse:
        state = application.readiness
        told = {
            "ready": state.ready,
            "model": state.model,
            "device": state.device,
            "pairs_per_s": state.pairs_per_s,
            "fault": state.fault,
            "config_fault": state.config_fault,
            "policies": [policy.name for policy in application.policies()],
        }
        return JSONResponse(told, 200 if state.ready else 503)

    @routes.get("/metrics", summary="Metrics for Prometheus")
    def metrics() -> Response:
        return Response(application.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
