"""The API's port: health, metrics, pages, the model as a service. Never on the proxy's, whose paths are Elasticsearch's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response

from es_rerank import __version__
from es_rerank.app.access import Denied
from es_rerank.app.api import compare, experiment_pages, experiments, health, judge, live, policies, rerank, session

if TYPE_CHECKING:
    from es_rerank.app.build import Application


PAGES = (session, compare, judge, experiments, experiment_pages, live, policies)
"""The areas that people look at."""


def build_api(application: Application) -> FastAPI:
    """Join the routers of all areas."""
    api = FastAPI(title="es-rerank", version=__version__, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    api.include_router(health.router(application))
    for area in PAGES:
        api.include_router(area.router(application))
    key = application.settings.api_key
    api.include_router(rerank.router(application.model, key.get_secret_value() if key else None))

    @api.exception_handler(Denied)
    async def refused(request: Request, fault: Denied) -> Response:
        return session.refused(application, request, fault)

    return api
