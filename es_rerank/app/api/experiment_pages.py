"""The Experiments page: what runs, how it goes, and for an administrator the ramp and the kill switch.

Measures are worked out when somebody asks, in a process of its own; the page shows the last ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from es_rerank.app.access import Role
from es_rerank.app.api import experiments as state
from es_rerank.app.forms import form
from es_rerank.app.rendering import SECURITY
from es_rerank.evaluation.experiment_report import HEADS, cells_of, verdict
from es_rerank.experiment.state import Change

if TYPE_CHECKING:
    from es_rerank.app.build import Application

_REPORT = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""A report is one file with its own style and pictures in it, and no script."""


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(include_in_schema=False)
    access, measurements = application.access, application.measurements

    @routes.post("/experiments/{name}", dependencies=[Depends(access.administers)])
    async def change(request: Request, name: str) -> Response:
        asked = _asked(await form(request))
        problem, status = ("a weight is a number", 400) if asked is None else await state.changed(
            application.experiments, name, asked
        )  # fmt: skip
        if problem:
            told = await state.shown(application.experiments)
            return overview(application, request, told, problem, status)
        return RedirectResponse("/experiments", 303)

    @routes.post("/experiments/{name}/measure", dependencies=[Depends(access.tries_out)])
    async def measure(name: str) -> Response:
        if name in {experiment.id for _, experiment in application.experiments.running}:
            measurements.begin(name)
        return RedirectResponse("/experiments", 303)

    @routes.get("/experiments/{name}/report", dependencies=[Depends(access.reads)])
    def report(name: str) -> Response:
        last = measurements.last(name)
        if last is None or not last.page:
            return RedirectResponse("/experiments", 303)
        return HTMLResponse(last.page, headers=SECURITY | {"Content-Security-Policy": _REPORT})

    return routes


def overview(
    application: Application, request: Request, told: dict[str, Any], problem: str = "", status: int = 200
) -> HTMLResponse:
    """The page; ``told`` is what programs get."""
    measurements = application.measurements
    names = [one["id"] for one in told["experiments"]]
    last = {name: measurements.last(name) for name in names}
    latest = {name: one.analysis.strata[0] for name, one in last.items() if one and one.analysis and one.analysis.strata}
    return application.pages.render(
        request,
        "experiments",
        status,
        told=told,
        last=last,
        latest=latest,
        verdicts={name: verdict(stratum) for name, stratum in latest.items()},
        cells={name: {one.name: list(cells_of(one)) for one in stratum.variants} for name, stratum in latest.items()},
        heads=HEADS,
        busy={name for name in names if measurements.busy(name)},
        may=application.access.role(request) >= Role.ADMINISTRATOR,
        problem=problem,
    )


def _asked(given: dict[str, str]) -> Change | None:
    """A form as a change; None where a weight is no number."""
    if "stopped" in given:
        return Change(stopped=given["stopped"] == "true")
    try:
        weights = {
            field.removeprefix("weight:"): float(value) for field, value in given.items() if field.startswith("weight:")
        }
    except ValueError:
        return None
    return Change(weights=weights)
