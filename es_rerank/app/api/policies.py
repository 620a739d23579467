"""The Policies page: what is in force, whether a change would load, and what it would do to recent searches.

Nothing is saved here: files are changed where they are kept. Trying a change costs model time like the searches themselves.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import HTMLResponse

from es_rerank.app.api import asking
from es_rerank.app.forms import form
from es_rerank.app.recent import RecentSearch, method_and_target
from es_rerank.app.trial import Trial, Tried
from es_rerank.config.draft import texts
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers
from es_rerank.errors import ConfigError, EsRerankError
from es_rerank.evaluation.collections import Query
from es_rerank.evaluation.replay import Logged, Replay, replayed

if TYPE_CHECKING:
    from es_rerank.app.build import Application

MOST_TRIED = 20
"""Searches that a change is tried on: each is asked twice."""


class Trials(msgspec.Struct, frozen=True):
    """What a change did: over all, and search by search; ``faults`` are searches that could not be asked."""

    over_all: Replay
    rows: list[tuple[RecentSearch, Tried, Tried]]
    faults: list[str]

    @property
    def median_ms(self) -> tuple[float, float]:
        """Before and after."""
        return _median([one.took_ms for _, one, _ in self.rows]), _median([one.took_ms for _, _, one in self.rows])


def router(application: Application) -> APIRouter:
    """The routes of this area."""
    routes = APIRouter(include_in_schema=False)
    access = application.access

    empty: dict[str, Any] = {"name": "", "text": "", "problem": "", "checked": None, "trials": None}

    def page(request: Request, status: int = 200, **more: Any) -> HTMLResponse:  # noqa: ANN401  the template's
        return application.pages.render(
            request,
            "policies",
            status,
            policies=application.policies(),
            rows={policy.name: rows(policy) for policy in application.policies()},
            texts=texts(application.settings.config),
            recent=application.recent()[:MOST_TRIED],
            asked_as=method_and_target,
            kept=application.settings.recent_searches,
            **(empty | more),
        )

    @routes.get("/policies", dependencies=[Depends(access.reads)])
    def show(request: Request, file: str = "") -> Response:
        return page(request, name=file, text=texts(application.settings.config).get(file, ""))

    @routes.post("/policies", dependencies=[Depends(access.tries_out)])
    async def try_out(request: Request, authorization: Annotated[str | None, Header()] = None) -> Response:
        given = await form(request)
        name, text = given.get("name", "").strip(), given.get("text", "").replace("\r\n", "\n")
        try:
            checked = await asyncio.to_thread(application.policies.draft, name, text)
        except ConfigError as fault:
            return page(request, 400, name=name, text=text, problem=str(fault))
        trials = None
        if given.get("do") == "try":
            login = asking.login(application, authorization)
            trials = await _tried(application, checked, application.recent()[:MOST_TRIED], login)
        return page(request, name=name, text=text, checked=checked, trials=trials)

    return routes


def rows(policy: IndexPolicy) -> list[tuple[str, str]]:
    """What matters most of a policy, key by key."""
    passage = policy.passage
    found = [
        ("indices", ", ".join(policy.indices)),
        ("enabled", "true" if policy.enabled else "false"),
        ("rank_window_size", f"{policy.rank_window_size}"),
        ("passage", passage.template or ", ".join(passage.named_fields)),
        ("fusion.method", policy.fusion.method),
        ("score.activation", policy.score.activation),
        ("timeout_ms", f"{policy.timeout_ms}"),
        ("entry_points", ", ".join(policy.entry_points)),
    ]
    found += [("min_score", f"{policy.min_score}")] if policy.min_score is not None else []
    found += [("experiment.id", policy.experiment.id)] if policy.experiment is not None else []
    return found


async def _tried(
    application: Application, policies: tuple[IndexPolicy, ...], recent: list[RecentSearch], login: Headers
) -> Trials:
    """Ask every search under the policies in force and under the others, one after another."""
    now = Trial(application.upstream, application.scorer, application.policies(), login)
    then = Trial(application.upstream, application.scorer, policies, login)
    found, faults = [], []
    for search in recent:
        try:
            found.append((search, await now.ask(search), await then.ask(search)))
        except EsRerankError as fault:
            faults.append(f"{search.query}: {fault}")
    log = [Logged(Query(str(place), search.query), 1, {}) for place, (search, _, _) in enumerate(found)]
    before = {str(place): one.ids for place, (_, one, _) in enumerate(found)}
    after = {str(place): one.ids for place, (_, _, one) in enumerate(found)}
    return Trials(replayed(log, before, after), found, faults)


def _median(values: list[float]) -> float:
    return statistics.median_high(values) if values else 0.0
