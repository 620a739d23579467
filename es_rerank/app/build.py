"""The composition root: settings → everything wired together. The only place that knows every room.

Builds, starts and stops; does not serve requests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from fastapi import FastAPI

from es_rerank.app.api import build_api
from es_rerank.app.proxy import Proxy
from es_rerank.app.state import Readiness
from es_rerank.config.reload import Policies
from es_rerank.config.settings import DEFAULT_WINDOWS, Settings
from es_rerank.core.ports import Headers
from es_rerank.errors import ConfigError, EsRerankError
from es_rerank.scoring.backend import Backend
from es_rerank.scoring.batcher import Batcher
from es_rerank.scoring.load import load
from es_rerank.scoring.warmup import measure, overlong
from es_rerank.service.recovery import Breaker, Widening
from es_rerank.service.search import SearchService
from es_rerank.telemetry.logs import SearchLines
from es_rerank.telemetry.metrics import Metrics
from es_rerank.upstream.client import UpstreamClient
from es_rerank.upstream.credentials import authorization
from es_rerank.upstream.tls import verification

_log = structlog.get_logger()


class Application:
    """One process: proxy and API over one upstream and one model."""

    def __init__(self, settings: Settings, load_backends: Callable[[], Sequence[Backend]] | None = None) -> None:
        """Wire everything; raises ConfigError. Loads no model yet: :meth:`warm_up` does."""
        self.settings = settings
        self.readiness = Readiness()
        self._told: Callable[[], None] = lambda: None
        self.metrics = Metrics()
        self._load_backends = load_backends or (lambda: load_backends_of(settings))
        self.policies = Policies(settings.config, self._reloaded, {"rank_window_size": DEFAULT_WINDOWS[settings.scorer]})
        self.upstream = UpstreamClient(
            settings.upstream,
            verify=verification(settings.upstream_ca, settings.upstream_fingerprint, insecure=settings.upstream_insecure),
            connect_timeout_s=settings.upstream_connect_timeout_s,
            answer_timeout_s=settings.upstream_answer_timeout_s,
        )
        self.scorer = Batcher(
            max_batch_tokens=settings.max_batch_tokens,
            max_queued_pairs=settings.max_queued_pairs,
            cached_scores=settings.cached_scores,
            observer=self.metrics,
        )
        clock = time.monotonic
        self.service = SearchService(self.upstream, self.scorer, self.policies, clock, Breaker(clock), Widening(clock))
        self.proxy = Proxy(self.service, self.upstream, self.metrics, (self.metrics, SearchLines()), clock)
        self.api: FastAPI = build_api(self)

    @property
    def own_authorization(self) -> Headers:
        """The header line of our own calls; none where no credentials are configured."""
        return authorization(self.settings)

    def when_ready(self, told: Callable[[], None]) -> None:
        """Call ``told`` once the model is warm."""
        self._told = told

    async def warm_up(self) -> None:
        """Load and measure the model, beside the running listeners; raises ScorerError where it cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            backends = await loop.run_in_executor(None, self._load_backends)
            rates = [await loop.run_in_executor(None, measure, backend) for backend in backends]
        except EsRerankError as exc:
            self.readiness.fault = str(exc)
            raise
        backend, rate = backends[0], rates[0]
        self.scorer.attach(backends, rate)
        self.readiness.model = backend.name
        self.readiness.device = ", ".join(replica.device for replica in backends)
        self.readiness.pairs_per_s = round(sum(found.pairs_per_s for found in rates), 1)
        for warning in overlong(self.policies(), rate):
            _log.warning("window does not fit its budget", detail=warning)
        self.readiness.ready = True
        self.metrics.ready()
        self._told()
        _log.info("ready", model=backend.name, device=self.readiness.device, pairs_per_s=self.readiness.pairs_per_s)

    async def close(self) -> None:
        """Let go of the model and of every connection."""
        self.scorer.close()
        await self.upstream.close()

    def _reloaded(self, fault: ConfigError | None) -> None:
        self.readiness.config_fault = str(fault) if fault else ""
        self.metrics.reloaded("refused" if fault else "loaded")
        if fault:
            _log.error("policies not reloaded; the last good ones stay in force", fault=str(fault))
        else:
            _log.info("policies reloaded", policies=[policy.name for policy in self.policies()])


def load_backends_of(settings: Settings) -> Sequence[Backend]:
    """Load the scorer that the settings name; raises ModelLoadError."""
    return load(settings.scorer, settings.model, settings.device, settings.precision)
