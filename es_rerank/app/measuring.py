"""What came of an experiment, worked out in a process of its own, so that no search waits for statistics.

One measurement at a time; the last one of each experiment is kept. The process is nice to the others (priority 10).
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime

import msgspec

from es_rerank.app.recorded import experiment_of, joined
from es_rerank.config.settings import Settings
from es_rerank.errors import EsRerankError
from es_rerank.evaluation import experiment_page
from es_rerank.evaluation.experiment import Analysis, analysed

_NICE = 10


class Measured(msgspec.Struct, frozen=True):
    """An analysis and its page; ``fault``: why there is none."""

    at: str
    analysis: Analysis | None = None
    page: str = ""
    fault: str = ""


class Measurements:
    """The last measurement of each experiment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Measured] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._one = asyncio.Semaphore(1)

    def last(self, identity: str) -> Measured | None:
        """The last one; None: there was none yet."""
        return self._known.get(identity)

    def busy(self, identity: str) -> bool:
        """Whether one is on its way."""
        return identity in self._running

    def begin(self, identity: str) -> None:
        """Measure, unless that is being done."""
        if identity not in self._running:
            task = asyncio.create_task(self._measured(identity))
            self._running[identity] = task
            task.add_done_callback(lambda _: self._running.pop(identity, None))

    async def close(self) -> None:
        """Let go of what is on its way."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _measured(self, identity: str) -> None:
        async with self._one:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "es_rerank.app.measuring", stdin=PIPE, stdout=PIPE, stderr=PIPE
            )
            try:
                found, said = await process.communicate(pickle.dumps((self._settings, identity)))
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
            self._known[identity] = Measured(_now(), fault=last or f"the process ended with status {process.returncode}")
        else:
            self._known[identity] = msgspec.msgpack.decode(found, type=Measured)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def measured(settings: Settings, identity: str) -> bytes:
    """Read everything and analyse it; MessagePack of :class:`Measured`. Raises nothing: a fault is told."""
    at = _now()
    try:
        experiment = experiment_of(settings, identity)
        found = analysed(identity, experiment.mode, joined(settings, experiment))
        told = Measured(at, found, experiment_page.page(found, "/compare"))
    except ImportError as fault:
        told = Measured(at, fault=f"{fault.name} is not installed: pip install 'es-rerank[evaluation]'")
    except (EsRerankError, OSError, ValueError, KeyError) as fault:
        told = Measured(at, fault=f"{fault}")
    return msgspec.msgpack.encode(told)


def main() -> None:
    """What the process does: settings and an id in, an analysis out, over pipes of its parent."""
    os.nice(_NICE)
    sys.stdout.buffer.write(measured(*pickle.load(sys.stdin.buffer)))  # noqa: S301  our own parent wrote it


if __name__ == "__main__":
    main()
