"""Records of experiments on their way to an index or a file: buffered, written in bulk by a thread, never waited for.

While Elasticsearch is away the file takes over, line by line, and is written to the index when it is back; without a file
the buffer holds what it can. A document's id is its own, so what is written twice is there once. What is lost is counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from es_rerank.errors import UpstreamError

Documents = Sequence[tuple[str, bytes]]
Write = Callable[[Documents], list[tuple[int, str]]]
"""Writes documents, ``(id, JSON)`` each, and gives each one's status; raises UpstreamError."""

_BATCH = 500
_AGAIN_S = 5.0
_KEPT = frozenset({200, 201, 409})
_LATER = frozenset({429, 502, 503, 504})

_log = structlog.get_logger()


class ExposureSink:
    """One place for records. ``identify`` reads the id out of a document; ``tell`` counts results by name."""

    def __init__(
        self,
        write: Write | None,
        file: Path | None,
        tell: Callable[[str, int], None],
        identify: Callable[[bytes], str],
        *,
        most: int = 20_000,
        every_s: float = 0.5,
    ) -> None:
        self._write = write
        self._file = file
        self._tell = tell
        self._identify = identify
        self._most = most
        self._every_s = every_s
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._away_until = 0.0
        self._thread = threading.Thread(target=self._run, name="es-rerank-exposures", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<ExposureSink [{len(self._waiting)} waiting]>"

    def put(self, identity: str, document: bytes) -> None:
        """Take a document; the newest is dropped where the buffer is full."""
        with self._changed:
            if len(self._waiting) < self._most and not self._stopping:
                self._waiting.append((identity, document))
                if len(self._waiting) >= _BATCH:
                    self._changed.notify()
                return
        self._tell("dropped", 1)

    def close(self, timeout_s: float = 10) -> None:
        """Write what is waiting, as far as it can be written now."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        if self._waiting:
            self._tell("dropped", len(self._waiting))
            _log.error("records of experiments are lost", count=len(self._waiting))

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._stopping and len(self._waiting) < _BATCH:
                    self._changed.wait(self._every_s)
                stopping = self._stopping
                batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                unwritten = self._delivered(batch)
            except Exception:  # noqa: BLE001  the thread lives on, whatever a disk says
                _log.exception("records of experiments could not be written")
                self._tell("dropped", len(batch))
                unwritten = []
            with self._changed:
                self._waiting.extendleft(reversed(unwritten))
                if stopping and (unwritten or not self._waiting):
                    return
            if unwritten:
                time.sleep(min(self._every_s, _AGAIN_S))

    def _delivered(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Write a batch somewhere; gives back what has to wait."""
        if self._write is None:
            return self._spooled(batch, "written")
        now = time.monotonic()
        if now < self._away_until:
            return self._spooled(batch, "spooled") if self._file else batch
        try:
            if self._file is not None:
                self._replay(self._file)
            return self._written(batch)
        except UpstreamError as fault:
            if not self._away_until:
                _log.warning("records of experiments cannot be written; they wait", fault=str(fault), file=str(self._file))
            self._away_until = now + _AGAIN_S
            return self._spooled(batch, "spooled") if self._file else batch

    def _written(self, batch: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Write to the index; what is refused for good is counted and told once a batch."""
        if not batch or self._write is None:
            return []
        found = self._write(batch)
        later = [entry for entry, (status, _) in zip(batch, found, strict=True) if status in _LATER]
        refused = [reason for status, reason in found if status not in _KEPT | _LATER]
        self._tell("written", len(batch) - len(later) - len(refused))
        self._away_until = 0.0
        if refused:
            self._tell("refused", len(refused))
            _log.error("Elasticsearch refuses records of experiments", count=len(refused), reason=refused[0])
        return later

    def _spooled(self, batch: list[tuple[str, bytes]], result: str) -> list[tuple[str, bytes]]:
        """Append to the file, all lines in one piece; processes may share it."""
        if batch and self._file is not None:
            with self._file.open("ab") as out:
                out.write(b"".join(document + b"\n" for _, document in batch))
            self._tell(result, len(batch))
        return []

    def _replay(self, file: Path) -> None:
        """Write the file's lines to the index; whoever renames it first does so. Raises UpstreamError, and keeps them."""
        taken = file.with_name(f"{file.name}.replaying")
        if not taken.exists():
            if not file.exists():
                return
            file.rename(taken)
        lines = taken.read_bytes().splitlines()
        for start in range(0, len(lines), _BATCH):
            batch = [(self._identify(line), line) for line in lines[start : start + _BATCH] if line]
            waiting = self._written(batch)
            if waiting:
                self._spooled(waiting, "spooled")
        taken.unlink()
        _log.info("records of experiments that waited are written", count=len(lines))


def query_id_of(document: bytes) -> str:
    """The id of an exposure record."""
    return str(msgspec.json.decode(document)["query_id"])


def event_id_of(document: bytes) -> str:
    """The id of an event."""
    return str(msgspec.json.decode(document)["event_id"])
