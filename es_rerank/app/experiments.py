"""Experiments as they are in force here: what the files say, under what all instances were told since.

Looks at the shared state every few seconds, as long as there is an experiment, and says which version it has. A state that
cannot be read leaves in force what was.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

import structlog

from es_rerank.cluster.state import FileState, IndexState, StateConflict
from es_rerank.config.reload import Policies
from es_rerank.core.experiment import ExperimentPolicy
from es_rerank.core.policy import IndexPolicy
from es_rerank.errors import EsRerankError
from es_rerank.experiment.state import Change, State, applied, problem

POLL_S = 5.0
_SAY_EVERY = 12
"""Looks at the state after which an instance says again that it lives."""

_log = structlog.get_logger()


class Refusal(EsRerankError):
    """A change that cannot be made."""


class Experiments:
    """Policies with the state over them. ``store`` is opened when the first experiment needs it."""

    def __init__(self, policies: Policies, store: Callable[[], IndexState | FileState]) -> None:
        self._policies = policies
        self._open = store
        self._store: IndexState | FileState | None = None
        self._state = State()
        self._made: tuple[tuple[IndexPolicy, ...], State, tuple[IndexPolicy, ...]] | None = None
        self.instance = f"{socket.gethostname()}-{os.getpid()}"
        self.fault = ""

    def __call__(self) -> tuple[IndexPolicy, ...]:
        """The policies in force."""
        policies = self._policies()
        if not self._state.experiments:
            return policies
        made = self._made
        if made is None or made[0] is not policies or made[1] is not self._state:
            made = self._made = (policies, self._state, applied(policies, self._state.experiments))
        return made[2]

    @property
    def running(self) -> list[tuple[IndexPolicy, ExperimentPolicy]]:
        """Every experiment in force, with its policy."""
        return [(policy, policy.experiment) for policy in self() if policy.experiment is not None]

    @property
    def version(self) -> int:
        """The version of the state that is in force here."""
        return self._state.version

    async def watch(self) -> None:
        """Follow the shared state until cancelled."""
        looks = 0
        while True:
            if self.running:
                with contextlib.suppress(EsRerankError, OSError, ValueError):
                    await self.look(say=looks % _SAY_EVERY == 0)
                looks += 1
            await asyncio.sleep(POLL_S)

    async def look(self, *, say: bool = False) -> None:
        """Read the state once, and tell which version is in force here; raises what the store raises."""
        store = self._opened()
        try:
            state = await asyncio.to_thread(store.load)
        except (EsRerankError, OSError, ValueError) as fault:
            if str(fault) != self.fault:
                _log.warning("the state of experiments cannot be read; the last one stays in force", fault=str(fault))
            self.fault = str(fault)
            raise
        self.fault = ""
        changed = state.version != self._state.version
        if changed:
            self._state = state
            _log.info("experiments changed", version=state.version)
        if state.version and (changed or say):
            await asyncio.to_thread(store.seen, self.instance, state.version)

    async def change(self, name: str, change: Change) -> None:
        """Store a change for all instances, and follow it here; raises Refusal, StateConflict and what the store raises."""
        known = {experiment.id: experiment for _, experiment in self.running}
        if name not in known:
            raise Refusal(f"there is no experiment `{name}`; there are: {', '.join(known) or 'none'}")
        why = problem(known[name], change)
        if why is not None:
            raise Refusal(why)
        store = self._opened()
        state = await asyncio.to_thread(store.load)
        await asyncio.to_thread(store.save, state.with_change(name, change))
        await self.look(say=True)

    async def instances(self) -> dict[str, int]:
        """The version that each living instance has; empty before the first change. Raises what the store raises."""
        return await asyncio.to_thread(self._opened().instances) if self._state.version else {}

    def _opened(self) -> IndexState | FileState:
        if self._store is None:
            self._store = self._open()
        return self._store


__all__ = ["POLL_S", "Experiments", "Refusal", "StateConflict"]
