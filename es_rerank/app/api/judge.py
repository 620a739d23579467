"""The Judge page: people grade the hits of a query set, and ``es-rerank evaluate`` reads what they said.

What is shown is the pool of both orders' first hits, in an order of neither, so that nobody can tell who put a hit where.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from es_rerank.app.access import Role
from es_rerank.app.api import asking
from es_rerank.app.forms import form
from es_rerank.core.ports import Headers
from es_rerank.evaluation.judging import GRADES, JudgingFault, QuerySet, QuerySets

if TYPE_CHECKING:
    from es_rerank.app.build import Application

POOLED = 10
"""Hits of each order that are graded."""


class Pooled(msgspec.Struct, frozen=True):
    """One hit to grade; ``grade`` None: not yet."""

    identity: str
    text: str
    grade: int | None


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    access, judging = application.access, Judging(application)
    routes = APIRouter(include_in_schema=False)
    reads, judges = [Depends(access.reads)], [Depends(access.judges)]
    routes.add_api_route("/judge", judging.overview, methods=["GET"], dependencies=reads)
    routes.add_api_route("/judge", judging.make, methods=["POST"], dependencies=judges)
    routes.add_api_route("/judge/{name}/{query}", judging.show, methods=["GET"], dependencies=reads)
    routes.add_api_route("/judge/{name}/{query}", judging.grade, methods=["POST"], dependencies=judges)
    return routes


class Judging:
    """The pages of one process, over one folder of sets."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._folder = application.settings.judgments
        self._sets = None if self._folder is None else QuerySets(self._folder)

    async def overview(self, request: Request) -> Response:
        """All sets, and a form for a new one."""
        return await self._listed(request)

    async def make(self, request: Request) -> Response:
        """A new set."""
        given = await form(request)
        name, index, queries = (given.get(field, "") for field in ("name", "index", "queries"))
        try:
            made = await asyncio.to_thread(_known(self._sets).make, name, index, queries.splitlines())
        except JudgingFault as fault:
            return await self._listed(request, 400, str(fault), given)
        return RedirectResponse(f"/judge/{made.name}/{made.queries[0].id}", 303)

    async def show(
        self, request: Request, name: str, query: str, authorization: Annotated[str | None, Header()] = None
    ) -> Response:
        """The hits of one query, with their grades."""
        application = self._application
        try:
            found = await asyncio.to_thread(_known(self._sets).load, name)
            place = _place(found, query)
        except JudgingFault as fault:
            return await self._listed(request, 404, str(fault))
        hits, problem, status = await _pool(application, found, place, asking.login(application, authorization))
        before, after = found.queries[:place][-1:], found.queries[place + 1 :][:1]
        return application.pages.render(
            request,
            "judge_query",
            status,
            asking.WANTS_LOGIN if status == 401 else {},  # noqa: PLR2004  unauthorised
            set=found,
            place=place,
            query=found.queries[place],
            hits=hits,
            near={"before": before[0].id if before else "", "after": after[0].id if after else ""},
            grades=GRADES,
            problem=problem,
            may=application.access.role(request) >= Role.JUDGE,
        )

    async def grade(self, request: Request, name: str, query: str) -> Response:
        """Keep the grades of one query, and go on."""
        given = await form(request)
        try:
            grades = {
                field.removeprefix("grade:"): int(value) if value else None
                for field, value in given.items()
                if field.startswith("grade:")
            }
            await asyncio.to_thread(_known(self._sets).grade, name, query, grades)
        except (JudgingFault, ValueError) as fault:
            return await self._listed(request, 400, str(fault))
        after = given.get("after", "")
        return RedirectResponse(f"/judge/{quote(name)}/{quote(after)}" if after else "/judge", 303)

    async def _listed(
        self, request: Request, status: int = 200, problem: str = "", given: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        found, faults = await asyncio.to_thread(_all, self._sets)
        names = [name for policy in self._application.policies() for name in policy.indices]
        return self._application.pages.render(
            request,
            "judge",
            status,
            sets=found,
            faults=faults,
            folder=self._folder,
            names=names,
            problem=problem,
            given=given or {},
        )


def _known(sets: QuerySets | None) -> QuerySets:
    if sets is None:
        raise JudgingFault("no folder for judgments is configured: give --judgments or ES_RERANK_JUDGMENTS")
    return sets


def _place(found: QuerySet, query: str) -> int:
    place = next((place for place, one in enumerate(found.queries) if one.id == query), None)
    if place is None:
        raise JudgingFault(f"there is no query {query!r} in {found.name!r}")
    return place


def _all(sets: QuerySets | None) -> tuple[list[QuerySet], list[str]]:
    """Every set that can be read, and what is wrong with the others."""
    found, faults = [], []
    for name in sets.names() if sets else ():
        try:
            found.append(_known(sets).load(name))
        except JudgingFault as fault:
            faults.append(str(fault))
    return found, faults


async def _pool(application: Application, found: QuerySet, place: int, login: Headers) -> tuple[Sequence[Pooled], str, int]:
    """The first hits of both orders, and those that were graded before and are found; in an order of neither."""
    query = found.queries[place]
    asked = await asking.ask(application, found.index, query.text, login)
    if isinstance(asked, asking.Problem):
        return [], asked.told, asked.status
    places = {*range(min(len(asked.texts), POOLED)), *(ranked.place for ranked in asked.order[:POOLED])}
    hits = [(asked.identity(one), asked.texts[one]) for one in places]
    pool = [Pooled(identity, text, query.grades.get(identity)) for identity, text in hits]
    return sorted(pool, key=lambda one: hashlib.sha256(f"{query.id}\0{one.identity}".encode()).digest()), "", 200
