"""The way in: a login page for keys, and the first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from es_rerank.app import rendering
from es_rerank.app.access import COOKIE, SESSION_S, Denied, Role
from es_rerank.app.forms import form, own_path
from es_rerank.app.rendering import wants_page

if TYPE_CHECKING:
    from es_rerank.app.build import Application


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(include_in_schema=False)
    access, pages = application.access, application.pages

    @routes.get("/")
    def home() -> RedirectResponse:
        return RedirectResponse("/compare")

    @routes.get("/static/{name}")
    def static(name: str) -> Response:
        return rendering.static(name) if name in rendering.STATIC else Response(status_code=404)

    @routes.get("/login")
    def ask(request: Request, then: Annotated[str, Query(alias="next")] = "/compare") -> Response:
        access.role(request)
        return pages.render(request, "login", then=own_path(then), problem="")

    @routes.post("/login")
    async def enter(request: Request) -> Response:
        access.own_form(request)
        given = await form(request)
        then = own_path(given.get("next", ""))
        if not access.tries(request):
            return pages.render(request, "login", 429, {"Retry-After": "60"}, then=then, problem="too many attempts")
        found = access.role_of(given.get("key", "").strip())
        if found is Role.NOBODY:
            return pages.render(request, "login", 401, then=then, problem="this key opens nothing")
        answer = RedirectResponse(then, 303)
        answer.set_cookie(COOKIE, access.session(found), max_age=SESSION_S, **access.cookie)  # type: ignore[arg-type]
        return answer

    @routes.post("/logout", dependencies=[Depends(access.tries_out)])
    def leave() -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    return routes


def refused(application: Application, request: Request, fault: Denied) -> Response:
    """The answer to a request that was not let in: a login page for people, a line for programs."""
    if wants_page(request):
        if fault.status == 401:  # noqa: PLR2004  a key would help
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            then = own_path(target) if request.method == "GET" else "/compare"
            return application.pages.render(request, "login", 401, then=then, problem="")
        return application.pages.render(request, "closed", fault.status, problem=fault.problem)
    headers = {"WWW-Authenticate": "Bearer"} if fault.status == 401 else {}  # noqa: PLR2004
    return JSONResponse({"error": fault.problem}, fault.status, headers)
