"""The composition root."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from es_rerank.app.build import Application
from es_rerank.app.model import load_backends_of
from es_rerank.config.settings import Settings
from es_rerank.core.ports import Clock, Scorer, SearchLog, Upstream
from es_rerank.errors import ConfigError, ModelLoadError
from tests.running import POLICY

BARE = "indices: [a]\npassage: {fields: [t]}\n"


def build(folder: Path, text: str, **settings: object) -> Application:
    (folder / "p.yaml").write_text(text)
    return Application(Settings(config=folder, **settings))  # type: ignore[arg-type]


def test_the_embedded_scorers_window(tmp_path: Path) -> None:
    """Where a policy names none."""
    assert build(tmp_path, BARE, scorer="embedded").policies()[0].rank_window_size == 30
    assert build(tmp_path, POLICY, scorer="embedded").policies()[0].rank_window_size == 50
    assert build(tmp_path, BARE, scorer="fake").policies()[0].rank_window_size == 100


def test_parts_fit_their_ports(tmp_path: Path) -> None:
    """As the service sees them."""
    found = build(tmp_path, BARE, scorer="fake")
    upstream: Upstream = found.upstream
    scorer: Scorer = found.scorer
    log: SearchLog = found.metrics
    clock: Clock = found.service._clock
    assert all((upstream, scorer, log, clock))


def test_a_bad_folder_refuses_the_start(tmp_path: Path) -> None:
    """Before anything listens."""
    with pytest.raises(ConfigError):
        build(tmp_path, "indices: [")


def test_backends_by_name() -> None:
    """What the settings name."""
    assert Settings().scorer == "engine"
    assert [backend.name for backend in load_backends_of(Settings(scorer="fake"))] == ["fake"]
    with pytest.raises(ModelLoadError, match="/nowhere"):
        load_backends_of(Settings(model="/nowhere/x"))


async def test_warm_up_warns_of_windows_that_do_not_fit(tmp_path: Path, log_stream: io.StringIO) -> None:
    """Naming the one that does."""
    found = build(tmp_path, BARE + "rank_window_size: 200\ntimeout_ms: 1\n", scorer="embedded")
    await found.warm_up()
    lines = [json.loads(line) for line in log_stream.getvalue().splitlines()]
    warning = next(line for line in lines if line["event"] == "window does not fit its budget")
    assert "a rank_window_size of" in warning["detail"]
    assert found.readiness.ready
    await found.close()


def test_reloads_are_logged_counted_and_shown(tmp_path: Path, log_stream: io.StringIO) -> None:
    """A refused one keeps the old policies."""
    found = build(tmp_path, BARE, scorer="fake")
    (tmp_path / "p.yaml").write_text("nonsense: 1\n")
    found.policies.reload()
    assert "p.yaml" in found.readiness.config_fault
    assert b'config_reloads_total{result="refused"} 1.0' in found.metrics.exposition()
    (tmp_path / "p.yaml").write_text(BARE)
    found.policies.reload()
    assert found.readiness.config_fault == ""
    assert "last good ones stay" in log_stream.getvalue()
