"""``/experiments``: what runs, which instances know of it; for those with the administrator's key, kill switch and ramp."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse

from es_rerank.app.experiments import Experiments, Refusal, StateConflict
from es_rerank.errors import EsRerankError
from es_rerank.experiment.state import Change

if TYPE_CHECKING:
    from es_rerank.app.build import Application


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(tags=["experiments"])
    experiments = application.experiments

    @routes.get("/experiments", summary="Every experiment in force, and which version of the state each instance has")
    async def show() -> dict[str, Any]:
        return await _shown(experiments)

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
    )
    async def change(name: str, request: Request, authorization: Annotated[str | None, Header()] = None) -> JSONResponse:
        refused = _denied(application, authorization)
        if refused is not None:
            return refused
        try:
            asked = msgspec.json.decode(await request.body(), type=Change)
            await experiments.change(name, asked)
        except (msgspec.ValidationError, msgspec.DecodeError, Refusal) as fault:
            return JSONResponse({"error": str(fault)}, 400)
        except StateConflict as fault:
            return JSONResponse({"error": str(fault)}, 409)
        except (EsRerankError, OSError, ValueError) as fault:
            return JSONResponse({"error": f"the state cannot be stored: {fault}"}, 502)
        return JSONResponse(await _shown(experiments))

    return routes


async def _shown(experiments: Experiments) -> dict[str, Any]:
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


def _denied(application: Application, authorization: str | None) -> JSONResponse | None:
    key = application.settings.admin_key
    if key is None:
        remedy = "this is read-only: configure ES_RERANK_ADMIN_KEY to change experiments here"
        return JSONResponse({"error": remedy}, 403)
    given = (authorization or "").removeprefix("Bearer ")
    if hmac.compare_digest(given.encode(), key.get_secret_value().encode()):
        return None
    headers = {"WWW-Authenticate": "Bearer"}
    return JSONResponse({"error": "send the administrator's key as `Authorization: Bearer …`"}, 401, headers)


def _schema() -> dict[str, Any]:
    """The body's shape for OpenAPI."""
    whole = msgspec.json.schema(Change)
    found: dict[str, Any] = whole["$defs"]["Change"]
    return found
