"""Where browsers and servers report clicks and conversions: ``POST /events`` and a beacon, on a listener of its own.

Write-only: nothing can be read here. A batch with bad events is answered 400 with what is wrong with each; the good ones are
kept. Knows nobody: units are hashed before they are kept.
"""

from __future__ import annotations

import base64
import hmac
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.middleware.cors import CORSMiddleware

from es_rerank import __version__
from es_rerank.app.experiments import Experiments
from es_rerank.config.settings import Settings
from es_rerank.core.experiment import ExperimentPolicy
from es_rerank.experiment import events
from es_rerank.experiment.assignment import unit_of
from es_rerank.experiment.events import BadEvent

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

MOST_BYTES = 1_048_576

Keep = Callable[[str, bytes], None]
"""Takes an event with its id."""


def build_events(settings: Settings, experiments: Experiments, keep: Keep) -> FastAPI:
    """The application of the listener for events."""
    app = FastAPI(title="es-rerank events", version=__version__, docs_url=None, redoc_url=None)
    if settings.events_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.events_origins),
            allow_methods=["POST", "GET"],
            allow_headers=["content-type", "authorization"],
            max_age=86_400,
        )
    gate = _Gate(settings)

    @app.post("/events", summary="One event, an array of them, or NDJSON, in the fields of User Behavior Insights 1.3")
    async def post(request: Request) -> Response:
        refused = gate.refuses(request)
        if refused is not None:
            return refused
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            return JSONResponse({"error": f"send at most {MOST_BYTES} bytes at a time"}, 413)
        given = events.parse(await request.body())
        if given is None or len(given) > events.MOST:
            problem = f"send JSON: one event, an array of up to {events.MOST}, or one a line"
            return JSONResponse({"error": problem, "accepted": 0}, 400)
        errors = _kept(given, request, experiments, keep)
        return JSONResponse({"accepted": len(given) - len(errors), "errors": errors}, 400 if errors else 200)

    @app.get("/events.gif", summary="One event in the query string, for pages without a script")
    async def beacon(request: Request) -> Response:
        refused = gate.refuses(request)
        if refused is not None:
            return refused
        errors = _kept([_of_query(dict(request.query_params))], request, experiments, keep)
        if errors:
            return JSONResponse({"errors": errors}, 400)
        return Response(GIF, media_type="image/gif", headers={"Cache-Control": "no-store"})

    return app


class _Gate:
    """Token and rate."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.events_token.get_secret_value() if settings.events_token else None
        self._rate = RateLimitItemPerMinute(settings.events_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def refuses(self, request: Request) -> Response | None:
        """The answer to a request that is not let in."""
        if self._token is not None:
            given = request.query_params.get("token") or (request.headers.get("authorization") or "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return JSONResponse({"error": "the token is missing or wrong"}, 401)
        if not self._limiter.hit(self._rate, request.client.host if request.client else ""):
            return JSONResponse({"error": "too many requests from this address"}, 429, {"Retry-After": "60"})
        return None


def _kept(given: list[Any], request: Request, experiments: Experiments, keep: Keep) -> list[dict[str, Any]]:
    """Keep the good ones; say what is wrong with the others, by place."""
    running = [experiment for _, experiment in experiments.running]
    errors = []
    at, unit = datetime.now(UTC), _unit(request, running)
    for place, one in enumerate(given):
        identity = str(uuid.uuid4())
        try:
            keep(identity, events.event(one, identity, at, running, unit))
        except BadEvent as fault:
            errors.append({"event": place, "error": str(fault)})
    return errors


def _unit(request: Request, running: list[ExperimentPolicy]) -> str | None:
    """Whose request it is, where an experiment says how to tell."""
    found = (unit_of(tuple(request.headers.raw), experiment.units) for experiment in running)
    return next((unit for unit in found if unit), None)


def _of_query(given: dict[str, str]) -> dict[str, Any]:
    """An event out of a query string: ``object_id``, ``position`` and ``value`` beside the event's own fields."""
    position, value = given.pop("position", ""), given.pop("value", "")
    attributes: dict[str, Any] = {"object": {"object_id": given.pop("object_id", None)}}
    if position:
        attributes["position"] = {"ordinal": int(position) if position.isdecimal() else position}
    if value:
        attributes["value"] = float(value) if value.replace(".", "", 1).isdecimal() else value
    return given | {"event_attributes": attributes}
