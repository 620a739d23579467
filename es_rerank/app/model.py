"""The model's side of a process: a scorer, how it becomes ready, and what is said of it meanwhile.

The model is in this process, behind a Batcher, or in others, behind their addresses. Does not serve anything.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.core.policy import IndexPolicy
from es_rerank.errors import EsRerankError
from es_rerank.scoring.backend import Backend
from es_rerank.scoring.batcher import Batcher
from es_rerank.scoring.load import load
from es_rerank.scoring.provider import ProviderScorer
from es_rerank.scoring.remote import RemoteScorer
from es_rerank.scoring.warmup import apart, measure, overlong
from es_rerank.telemetry.metrics import Metrics

_log = structlog.get_logger()

_POLL_S = 0.5


class Model:
    """One scorer."""

    def __init__(
        self,
        settings: Settings,
        readiness: Readiness,
        metrics: Metrics,
        load_backends: Callable[[], Sequence[Backend]] | None,
    ) -> None:
        self.readiness = readiness
        self._metrics = metrics
        self._load_backends = load_backends or (lambda: load_backends_of(settings))
        self.scorer: Batcher | RemoteScorer | ProviderScorer
        if settings.scorer == "remote":
            self.scorer = remote_of(settings, metrics.asked)
        else:
            self.scorer = Batcher(
                max_batch_tokens=settings.max_batch_tokens,
                max_queued_pairs=settings.max_queued_pairs,
                cached_scores=settings.cached_scores,
                observer=metrics,
            )

    async def warm_up(self, policies: Iterable[IndexPolicy] = ()) -> None:
        """Make the scorer ready, beside running listeners; raises ScorerError where it cannot be had."""
        try:
            if isinstance(self.scorer, RemoteScorer | ProviderScorer):
                await self._wait_for(self.scorer)
            else:
                await self._load(self.scorer, policies)
        except EsRerankError as exc:
            self.readiness.fault = str(exc)
            raise
        settle()
        self.readiness.ready = True
        self._metrics.ready()
        state = self.readiness
        _log.info("ready", model=state.model, device=state.device, pairs_per_s=state.pairs_per_s)

    async def close(self) -> None:
        """Let go of the model, and of what :func:`settle` kept, so that the interpreter ends in good order."""
        gc.unfreeze()
        if isinstance(self.scorer, RemoteScorer | ProviderScorer):
            await self.scorer.close()
        else:
            self.scorer.close()

    async def _load(self, batcher: Batcher, policies: Iterable[IndexPolicy]) -> None:
        backends = await asyncio.to_thread(apart, self._load_backends)
        rates = [await asyncio.to_thread(apart, partial(measure, backend)) for backend in backends]
        batcher.attach(backends, rates[0])
        self.readiness.model = backends[0].name
        self.readiness.device = ", ".join(replica.device for replica in backends)
        self.readiness.pairs_per_s = round(sum(rate.pairs_per_s for rate in rates), 1)
        for warning in overlong(policies, rates[0]):
            _log.warning("window does not fit its budget", detail=warning)

    async def _wait_for(self, remote: RemoteScorer | ProviderScorer) -> None:
        """Until one of the addresses says that it is ready; why not is shown meanwhile."""
        while True:
            told = await remote.info()
            if isinstance(told, str):
                self.readiness.fault = told
                await asyncio.sleep(_POLL_S)
                continue
            self.readiness.fault = ""
            self.readiness.model, self.readiness.device = told.model_id, f"remote: {told.device}"
            self.readiness.pairs_per_s = told.pairs_per_s
            return


def remote_of(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> RemoteScorer | ProviderScorer:
    """The scorer at the addresses that the settings name; raises ScorerError for an unusable CA file."""
    if settings.scorer_dialect == "es-rerank":
        return RemoteScorer(settings.scorer_urls, settings.scorer_ca, tell)
    return ProviderScorer(
        settings.scorer_dialect,
        settings.scorer_urls,
        model=settings.model,
        key=settings.scorer_key.get_secret_value() if settings.scorer_key else None,
        most=settings.scorer_batch,
        ca=settings.scorer_ca,
    )


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's sight, so that no search pays for a walk over it, and have
    it look at the rest less often: requests leave few cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def load_backends_of(settings: Settings) -> Sequence[Backend]:
    """Load the scorer that the settings name; raises ModelLoadError."""
    return load(settings.scorer, settings.model, settings.device, settings.precision)
