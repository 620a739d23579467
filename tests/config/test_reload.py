"""Policies in force while files change."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from es_rerank.config.reload import Policies
from es_rerank.errors import ConfigError

GOOD = "indices: [{name}]\npassage: {{fields: [t]}}\n"


def test_a_bad_file_keeps_what_is_in_force(tmp_path: Path) -> None:
    """And is reported; once mended, the new ones are in force."""
    heard: list[ConfigError | None] = []
    (tmp_path / "a.yaml").write_text(GOOD.format(name="one"))
    policies = Policies(tmp_path, heard.append)
    (tmp_path / "a.yaml").write_text("indices: [")
    policies.reload()
    assert policies()[0].name == "one"
    assert isinstance(heard[-1], ConfigError)
    (tmp_path / "a.yaml").write_text(GOOD.format(name="two"))
    policies.reload()
    assert policies()[0].name == "two"
    assert heard[-1] is None


def test_a_bad_folder_at_start_is_raised(tmp_path: Path) -> None:
    """``serve`` refuses to start."""
    with pytest.raises(ConfigError):
        Policies(tmp_path / "none", lambda fault: None)


async def test_changes_on_disk_are_picked_up(tmp_path: Path) -> None:
    """A rewritten file, and Kubernetes' swap of the ``..data`` link."""
    for name in ("one", "two"):
        (tmp_path / f"..{name}").mkdir()
        (tmp_path / f"..{name}" / "a.yaml").write_text(GOOD.format(name=name))
    os.symlink("..one", tmp_path / "..data")
    os.symlink("..data/a.yaml", tmp_path / "a.yaml")
    changed = asyncio.Event()
    policies = Policies(tmp_path, lambda fault: changed.set())
    assert policies()[0].name == "one"
    watching = asyncio.ensure_future(policies.watch())
    await asyncio.sleep(0.3)  # the watcher has no sign of being ready
    os.symlink("..two", tmp_path / "..new")
    os.rename(tmp_path / "..new", tmp_path / "..data")
    await asyncio.wait_for(changed.wait(), 10)
    assert policies()[0].name == "two"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    """The last good policies stay meanwhile."""
    heard: asyncio.Queue[ConfigError | None] = asyncio.Queue()
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text(GOOD.format(name="one"))
    policies = Policies(folder, heard.put_nowait)
    watching = asyncio.ensure_future(policies.watch())
    await asyncio.sleep(0.3)  # the watcher has no sign of being ready
    folder.rename(tmp_path / "gone")  # at once: an emptied folder would be a configuration without policies
    while not isinstance(await asyncio.wait_for(heard.get(), 10), ConfigError):
        continue
    assert policies()[0].name == "one"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.yaml").write_text(GOOD.format(name="two"))
    (tmp_path / "new").rename(folder)
    while await asyncio.wait_for(heard.get(), 10) is not None:
        continue
    assert policies()[0].name == "two"
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def test_a_draft_changes_nothing(tmp_path: Path) -> None:
    """It is loaded as the files would be, and what is in force stays."""
    text = GOOD.format(name="one")
    (tmp_path / "a.yaml").write_text(text)
    policies = Policies(tmp_path, lambda _: None, {"window_max": 300})
    (draft,) = policies.draft("a.yaml", text + "rank_window_size: 7\n")
    assert (draft.rank_window_size, draft.window_max) == (7, 300)
    assert policies()[0].rank_window_size != 7
