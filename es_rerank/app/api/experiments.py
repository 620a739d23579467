"""``/experiments``: what runs, which instances know of it; for those with the administrator's key, kill switch and ramp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from es_rerank.app.api import experiment_pages
from es_rerank.app.experiments import Experiments, Refusal, StateConflict
from es_rerank.app.rendering import wants_page
from es_rerank.errors import EsRerankError
from es_rerank.experiment.state import Change

if TYPE_CHECKING:
    from es_rerank.app.build import Application


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(tags=["experiments"])
    access, experiments = application.access, application.experiments

    @routes.get(
        "/experiments",
        summary="Every experiment in force, and which version of the state each instance has; as a page for browsers",
        response_model=None,
        dependencies=[Depends(access.reads)],
    )
    async def show(request: Request) -> dict[str, Any] | Response:
        told = await shown(experiments)
        return experiment_pages.overview(application, request, told) if wants_page(request) else told

    @routes.put(
        "/experiments/{name}",
        summary="Stop or start an experiment, or change its weights, on every instance",
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": _schema()}}},
        },
        responses={
            400: {"description": "what is asked for cannot be done"},
            401: {"description": "the administrator's key is missing or wrong"},
            403: {"description": "no administrator's key is configured: this is read-only"},
            409: {"description": "somebody else changed the state; look again"},
        },
        dependencies=[Depends(access.administers)],
    )
    async def change(name: str, request: Request) -> JSONResponse:
        try:
            asked = msgspec.json.decode(await request.body(), type=Change)
        except ValueError as fault:
            return JSONResponse({"error": str(fault)}, 400)
        problem, status = await changed(experiments, name, asked)
        return JSONResponse({"error": problem}, status) if problem else JSONResponse(await shown(experiments))

    return routes


async def changed(experiments: Experiments, name: str, asked: Change) -> tuple[str, int]:
    """Make a change; what is wrong with it, and the status that says so, or an empty text."""
    try:
        await experiments.change(name, asked)
    except Refusal as fault:
        return str(fault), 400
    except StateConflict as fault:
        return str(fault), 409
    except (EsRerankError, OSError, ValueError) as fault:
        return f"the state cannot be stored: {fault}", 502
    return "", 200


async def shown(experiments: Experiments) -> dict[str, Any]:
    """What runs, as JSON."""
    try:
        instances, fault = await experiments.instances(), experiments.fault
    except (EsRerankError, OSError, ValueError) as exc:
        instances, fault = {}, str(exc)
    found = [
        {
            "id": experiment.id,
            "policy": policy.name,
            "mode": experiment.mode,
            "stopped": experiment.stopped,
            "weights": experiment.weights,
        }
        for policy, experiment in experiments.running
    ]
    everywhere = not fault and all(version == experiments.version for version in instances.values())
    told = {"version": experiments.version, "instances": instances, "everywhere": everywhere, "fault": fault}
    return {"experiments": found, **told}


def _schema() -> dict[str, Any]:
    """The body's shape for OpenAPI."""
    whole = msgspec.json.schema(Change)
    found: dict[str, Any] = whole["$defs"]["Change"]
    return found
