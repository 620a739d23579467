"""Policies in force, and their exchange when files change on disk.

A changed folder is loaded as a whole; if any file is bad, the policies in force stay and the fault is reported. The
folder itself is watched, so Kubernetes' swap of the ``..data`` link counts as a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchfiles import awatch

from es_rerank.config.draft import draft
from es_rerank.config.loader import load
from es_rerank.core.policy import IndexPolicy
from es_rerank.errors import ConfigError

AWAY_S = 0.5
"""How often a folder that has gone is looked for."""


class Policies:
    """The policies in force. Calling it gives them; a search that has them keeps them to its end."""

    def __init__(
        self,
        folder: Path,
        report: Callable[[ConfigError | None], None],
        base: dict[str, Any] | None = None,
        over: dict[str, Any] | None = None,
    ) -> None:
        """Load the folder; raises ConfigError. ``report`` hears of every later attempt: None, or what was wrong."""
        self._folder = folder
        self._report = report
        self._base = base
        self._over = over
        self._current = load(folder, base, over)

    def __call__(self) -> tuple[IndexPolicy, ...]:
        """The policies in force."""
        return self._current

    def draft(self, name: str, text: str) -> tuple[IndexPolicy, ...]:
        """The policies as they would be if file ``name`` said ``text``; raises ConfigError."""
        return draft(self._folder, name, text, self._base, self._over)

    def reload(self) -> None:
        """Load the folder again; keeps what is in force if it cannot be loaded."""
        try:
            self._current = load(self._folder, self._base, self._over)
        except ConfigError as fault:
            self._report(fault)
        else:
            self._report(None)

    async def watch(self) -> None:
        """Reload on every change until cancelled; a folder that is taken away is waited for."""
        while True:
            if self._folder.is_dir():
                async for _ in awatch(self._folder, recursive=True, step=50, debounce=400):
                    self.reload()
                    if not self._folder.is_dir():
                        break
            await asyncio.sleep(AWAY_S)
            if self._folder.is_dir():
                self.reload()
