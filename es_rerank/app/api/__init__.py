"""The API's port: health, metrics, pages, the model as a service. Never on the proxy's, whose paths are Elasticsearch's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from es_rerank import __version__
from es_rerank.app.api import compare, experiments, health, rerank

if TYPE_CHECKING:
    from es_rerank.app.build import Application


def build_api(application: Application) -> FastAPI:
    """Join the routers of all areas."""
    api = FastAPI(title="es-rerank", version=__version__, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    api.include_router(health.router(application))
    api.include_router(compare.router(application))
    api.include_router(experiments.router(application))
    key = application.settings.api_key
    api.include_router(rerank.router(application.model, key.get_secret_value() if key else None))
    return api
