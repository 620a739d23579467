"""The composition root: settings → everything wired together. The only place that knows every room.

Builds, starts and stops; does not serve requests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from fastapi import FastAPI

from es_rerank.app.access import Access
from es_rerank.app.api import build_api
from es_rerank.app.events import build_events
from es_rerank.app.experiments import Experiments
from es_rerank.app.measuring import Measurements
from es_rerank.app.model import Model
from es_rerank.app.own import Sinks
from es_rerank.app.proxy import Proxy
from es_rerank.app.recent import RecentSearches
from es_rerank.app.rendering import Pages
from es_rerank.app.state import Readiness
from es_rerank.config.reload import Policies
from es_rerank.config.settings import DEFAULT_WINDOWS, Settings
from es_rerank.core.ports import Headers
from es_rerank.errors import ConfigError
from es_rerank.scoring.backend import Backend
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.entry_points import EntryPoints
from es_rerank.service.exposure import Exposures
from es_rerank.service.msearch import MultiSearchService
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.service.shadow import Shadow
from es_rerank.service.stages import Stages
from es_rerank.telemetry.live import EVERY_S, History
from es_rerank.telemetry.logs import SearchLines
from es_rerank.telemetry.metrics import Metrics
from es_rerank.upstream.client import UpstreamClient
from es_rerank.upstream.credentials import authorization
from es_rerank.upstream.tls import verification

_log = structlog.get_logger()


class Application:
    """One process: proxy and API over one upstream and one model."""

    def __init__(
        self,
        settings: Settings,
        load_backends: Callable[[], Sequence[Backend]] | None = None,
        over: dict[str, Any] | None = None,
    ) -> None:
        """Wire everything; raises ConfigError. Loads no model yet: :meth:`warm_up` does.

        ``over`` holds keys that beat those of every policy file.
        """
        self.settings = settings
        self.readiness = Readiness()
        self._told: Callable[[], None] = lambda: None
        self.metrics = Metrics()
        window = {"rank_window_size": DEFAULT_WINDOWS[settings.scorer]}
        self.policies = Policies(settings.config, self._reloaded, window, over)
        self.experiments = Experiments(self.policies, lambda: self.sinks.state(settings.state))
        self.upstream = UpstreamClient(
            *settings.upstreams,
            verify=verification(
                settings.upstream_ca,
                settings.upstream_fingerprint,
                insecure=settings.upstream_insecure,
                cert=settings.upstream_cert,
                key=settings.upstream_key,
            ),
            connect_timeout_s=settings.upstream_connect_timeout_s,
            answer_timeout_s=settings.upstream_answer_timeout_s,
        )
        self.model = Model(settings, self.readiness, self.metrics, load_backends)
        self.scorer = self.model.scorer
        clock = time.monotonic
        self.stages = Stages(self.scorer, clock, Breaker(clock), Widening(clock))
        enrolment = Enrolment()
        self.service = SearchService(self.upstream, self.stages, self.experiments, clock, enrolment)
        many = MultiSearchService(self.upstream, self.stages, self.experiments, clock, enrolment)
        entry_points = EntryPoints(self.upstream, self.service, many)
        logs = (self.metrics, SearchLines())
        self.sinks = Sinks(settings, self.metrics.exposed)
        self.exposures = Exposures(self.sinks, Shadow(self.service))
        self.recent = RecentSearches(settings.recent_searches)
        self.proxy = Proxy(
            entry_points, self.upstream, self.metrics, logs, clock, self.exposures, self.recent.take, settings.advertise
        )
        self.history = History(self.metrics.registry)
        self.measurements = Measurements(settings)
        self.access = Access(settings)
        self.pages = Pages(self.access, self.readiness)
        self.api: FastAPI = build_api(self)
        self.events = build_events(settings, self.experiments, self.sinks.event) if settings.events else None

    @property
    def own_authorization(self) -> Headers:
        """The header line of our own calls; none where no credentials are configured."""
        return authorization(self.settings)

    def when_ready(self, told: Callable[[], None]) -> None:
        """Call ``told`` once the model is warm."""
        self._told = told

    async def warm_up(self) -> None:
        """Make the scorer ready, beside the running listeners; raises ScorerError where it cannot be had."""
        await self.model.warm_up(self.policies())
        self._told()

    async def watch(self) -> None:
        """Look at our own metrics until cancelled."""
        while True:
            self.history.look(time.monotonic())
            await asyncio.sleep(EVERY_S)

    async def close(self) -> None:
        """Let go of the model and of every connection."""
        await self.measurements.close()
        await self.exposures.settled()
        await self.model.close()
        await self.upstream.close()
        await asyncio.to_thread(self.sinks.close)

    def _reloaded(self, fault: ConfigError | None) -> None:
        self.readiness.config_fault = str(fault) if fault else ""
        self.metrics.reloaded("refused" if fault else "loaded")
        if fault:
            _log.error("policies not reloaded; the last good ones stay in force", fault=str(fault))
        else:
            _log.info("policies reloaded", policies=[policy.name for policy in self.policies()])
