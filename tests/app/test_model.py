"""How a scorer becomes ready."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from es_rerank.app.model import Model
from es_rerank.app.scorer import serve
from es_rerank.app.state import Readiness
from es_rerank.config.settings import Settings
from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import Backend
from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.texts import Texts
from es_rerank.telemetry.metrics import Metrics


async def test_a_remote_scorer_is_waited_for(tmp_path: Path) -> None:
    """What is wrong is shown until it answers; then the model's name and speed are its own."""
    address = f"unix:{tmp_path / 's.sock'}"
    readiness = Readiness()
    model = Model(Settings(scorer="remote", scorer_urls=(address,)), readiness, Metrics(), None)
    warming = asyncio.create_task(model.warm_up())
    while not readiness.fault:
        await asyncio.sleep(0.01)
    assert "s.sock" in readiness.fault
    assert not readiness.ready
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(Settings(scorer="fake"), address, stop))
    await warming
    assert (readiness.ready, readiness.fault, readiness.model, readiness.device) == (True, "", "fake", "remote: cpu")
    assert readiness.pairs_per_s > 0
    await model.close()
    stop.set()
    await serving


async def test_a_model_that_cannot_be_loaded_is_told() -> None:
    """In the state that the probes show."""
    readiness = Readiness()
    model = Model(Settings(model="/nowhere/x"), readiness, Metrics(), None)
    with pytest.raises(ModelLoadError):
        await model.warm_up()
    assert "/nowhere/x" in readiness.fault
    await model.close()


async def test_what_is_loaded_is_not_walked_by_the_collector_again() -> None:
    """And the thread that loaded it has ended, with the processors that OpenMP kept for it."""
    loaders: list[threading.Thread] = []

    def load() -> Sequence[Backend]:
        loaders.append(threading.current_thread())
        return [Texts(FakeBackend())]

    gc.unfreeze()
    model = Model(Settings(), Readiness(), Metrics(), load)
    await model.warm_up()
    assert gc.get_freeze_count() > 0
    assert not loaders[0].is_alive()
    await model.close()
    assert gc.get_freeze_count() == 0
