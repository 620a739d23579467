"""Our own calls: one cluster, one sink for each place."""

from __future__ import annotations

from pathlib import Path

from es_rerank.app.own import Sinks
from es_rerank.cluster.state import FileState, IndexState
from es_rerank.config.settings import Settings
from es_rerank.core.experiment import ExposurePolicy


def test_sinks(tmp_path: Path) -> None:
    """Records go where their policy says; closing writes what waits, and what cannot be written is counted."""
    told: list[tuple[str, int]] = []
    sinks = Sinks(Settings(upstream="http://127.0.0.1:1"), lambda name, count: told.append((name, count)))
    one, other = tmp_path / "one", tmp_path / "other"
    for file in (one, other, one):
        sinks.record(ExposurePolicy(file=str(file)), "q", b'{"query_id":"q"}')
    sinks.record(ExposurePolicy(index="nowhere"), "q", b'{"query_id":"q"}')
    assert len(sinks._open) == 3
    sinks.close()
    assert (one.read_bytes().count(b"\n"), other.read_bytes().count(b"\n")) == (2, 1)
    assert ("dropped", 1) in told


def test_where_the_state_is(tmp_path: Path) -> None:
    """A file where one is named, else the cluster."""
    sinks = Sinks(Settings(), lambda *_: None)
    assert isinstance(sinks.state(None), IndexState)
    assert isinstance(sinks.state(tmp_path / "s"), FileState)
    sinks.close()
