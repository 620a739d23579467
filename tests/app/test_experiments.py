"""Experiments as they are in force in one process, over a file that others change."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from es_rerank.app import experiments as rooms
from es_rerank.app.experiments import Experiments, Refusal
from es_rerank.cluster.state import FileState
from es_rerank.config.reload import Policies
from es_rerank.experiment.state import Change, State
from tests.config.test_experiments import GOOD, HEAD


def made(folder: Path, text: str = HEAD + GOOD) -> tuple[Experiments, FileState]:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies/a.yaml").write_text(text)
    store = FileState(folder / "state.json")
    return Experiments(Policies(folder / "policies", lambda _: None), lambda: store), store


def stopped(found: Experiments) -> bool:
    return found.running[0][1].stopped


async def test_a_change_here_is_seen_there(tmp_path: Path) -> None:
    """Both have the version, and each says so."""
    one, store = made(tmp_path)
    other, _ = made(tmp_path)
    other.instance = "other"
    assert one() is one()
    assert await one.instances() == {}
    await one.change("books-1", Change(stopped=True))
    assert (stopped(one), one.version, stopped(other)) == (True, 1, False)
    await other.look()
    assert stopped(other)
    assert store.instances() == {one.instance: 1, "other": 1}
    assert await other.instances() == store.instances()
    assert other() is other()


async def test_changes_that_cannot_be_made(tmp_path: Path) -> None:
    """An unknown experiment, and weights that do not fit."""
    one, _ = made(tmp_path)
    with pytest.raises(Refusal, match="there are: books-1"):
        await one.change("books-2", Change(stopped=True))
    with pytest.raises(Refusal, match="a weight to each of"):
        await one.change("books-1", Change(weights={}))


async def test_a_state_that_cannot_be_read(tmp_path: Path, log_stream: io.StringIO) -> None:
    """The last one stays in force; it is said once."""
    one, store = made(tmp_path)
    await one.change("books-1", Change(stopped=True))
    (tmp_path / "state.json").write_text("odd")
    for _ in range(2):
        with pytest.raises(ValueError, match="JSON"):
            await one.look()
    assert stopped(one)
    assert one.fault
    assert log_stream.getvalue().count("cannot be read") == 1
    (tmp_path / "state.json").unlink()
    store.save(State(1))
    await one.look(say=True)
    assert (one.fault, stopped(one)) == ("", True)


async def test_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where there is an experiment; a fault ends nothing."""
    import asyncio

    monkeypatch.setattr(rooms, "POLL_S", 0.001)
    one, store = made(tmp_path)
    plain, _ = made(tmp_path / "policies/..", HEAD)
    watching = [asyncio.create_task(found.watch()) for found in (one, plain)]
    (tmp_path / "state.json").write_text("odd")
    await asyncio.sleep(0.02)
    (tmp_path / "state.json").unlink()
    store.save(State().with_change("books-1", Change(stopped=True)))
    while one.version == 0:
        await asyncio.sleep(0.002)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    assert plain.version == 0
