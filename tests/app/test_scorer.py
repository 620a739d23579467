"""Where the scorer process listens."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from es_rerank.app.scorer import serve
from es_rerank.config.settings import Settings
from es_rerank.errors import ConfigError, ModelLoadError
from es_rerank.scoring.remote import Info, RemoteScorer


@pytest.mark.parametrize("kind", ["port", "socket"])
async def test_listens(kind: str, tmp_path: Path) -> None:
    """On a port or a socket file; a file that a dead process left is replaced."""
    (tmp_path / "s.sock").write_text("left behind")
    listen = "127.0.0.1:19203" if kind == "port" else f"unix:{tmp_path / 's.sock'}"
    stop = asyncio.Event()
    task = asyncio.create_task(serve(Settings(scorer="fake"), listen, stop))
    remote = RemoteScorer([f"http://{listen}" if kind == "port" else listen])
    while isinstance(told := await remote.info(), str):
        await asyncio.sleep(0.01)
    assert isinstance(told, Info)
    await remote.close()
    stop.set()
    await task


async def test_a_place_that_cannot_be_had(tmp_path: Path) -> None:
    """Named, with what to do; so is a model that cannot be loaded."""
    with pytest.raises(ConfigError, match="choose a path in a folder"):
        await serve(Settings(scorer="fake"), f"unix:{tmp_path}/no/such/s.sock", asyncio.Event())
    with pytest.raises(ModelLoadError, match="/nowhere"):
        await serve(Settings(model="/nowhere/x"), f"unix:{tmp_path}/s.sock", asyncio.Event())
