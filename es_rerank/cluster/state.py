"""Where instances share the state of experiments: an index of the cluster, or a file of one machine.

Both hold the state, and which version each instance has seen. A change that meets another one is refused, not lost.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.errors import EsRerankError
from es_rerank.experiment.state import State

INDEX = ".es-rerank-state"
_FORGOTTEN = timedelta(minutes=5)
"""An instance that has not been heard of for so long is gone."""

_CONFLICT = 409
_MISSING = 404


class StateConflict(EsRerankError):
    """Somebody else changed the state in the meantime; read it again."""


class IndexState:
    """In ``.es-rerank-state``: one document for the state, one for each instance."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def load(self) -> State:
        """The state; of none, the first. Raises Refused, UpstreamUnreachable."""
        return self._read()[0]

    def save(self, state: State) -> None:
        """Store the next state; raises StateConflict, Refused, UpstreamUnreachable."""
        current, where = self._read()
        if current.version != state.version - 1:
            raise StateConflict("the state of experiments was changed by somebody else; look again")
        if where is None:
            self._make()
        guard = "op_type=create" if where is None else f"if_seq_no={where[0]}&if_primary_term={where[1]}"
        try:
            document = {"state": msgspec.to_builtins(state)}
            self._cluster.ask("PUT", f"/{INDEX}/_doc/state?refresh=true&{guard}", document)
        except Refused as refused:
            if refused.status == _CONFLICT:
                raise StateConflict("the state of experiments was changed by somebody else; look again") from refused
            raise

    def seen(self, instance: str, version: int) -> None:
        """Say which version an instance has; raises Refused, UpstreamUnreachable."""
        document = {"version": version, "at": datetime.now(UTC).isoformat()}
        self._cluster.ask("PUT", f"/{INDEX}/_doc/instance-{instance}", {"instance": document})

    def instances(self) -> dict[str, int]:
        """The version that each living instance has seen; raises Refused, UpstreamUnreachable."""
        self._cluster.ask("POST", f"/{INDEX}/_refresh")
        since = (datetime.now(UTC) - _FORGOTTEN).isoformat()
        answer = self._cluster.search(INDEX, {"size": 1000, "query": {"exists": {"field": "instance.at"}}})
        found = [(hit["_id"].removeprefix("instance-"), hit["_source"]["instance"]) for hit in answer["hits"]["hits"]]
        return {name: told["version"] for name, told in found if told["at"] >= since}

    def _read(self) -> tuple[State, tuple[int, int] | None]:
        try:
            found = self._cluster.ask("GET", f"/{INDEX}/_doc/state")
        except Refused as refused:
            if refused.status == _MISSING:
                return State(), None
            raise
        return msgspec.convert(found["_source"]["state"], State), (found["_seq_no"], found["_primary_term"])

    def _make(self) -> None:
        settings = {"index": {"hidden": True, "number_of_shards": 1, "auto_expand_replicas": "0-1"}}
        mappings = {
            "properties": {
                "state": {"type": "object", "enabled": False},
                "instance": {"properties": {"at": {"type": "date"}}},
            }
        }
        try:
            self._cluster.ask("PUT", f"/{INDEX}", {"settings": settings, "mappings": mappings})
        except Refused as refused:
            if "already exists" not in str(refused):
                raise


class FileState:
    """In a JSON file, for the processes of one machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> State:
        """The state; of none, the first. Raises OSError, ValueError for a file that is not one of ours."""
        return msgspec.convert(self._read().get("state", {}), State)

    def save(self, state: State) -> None:
        """Store the next state; raises StateConflict, OSError."""
        with self._locked():
            whole = self._read()
            if msgspec.convert(whole.get("state", {}), State).version != state.version - 1:
                raise StateConflict("the state of experiments was changed by somebody else; look again")
            self._write(whole | {"state": msgspec.to_builtins(state)})

    def seen(self, instance: str, version: int) -> None:
        """Say which version an instance has; raises OSError."""
        with self._locked():
            whole = self._read()
            now = datetime.now(UTC)
            told = {name: one for name, one in whole.get("instances", {}).items() if _lives(one, now)}
            told[instance] = {"version": version, "at": now.isoformat()}
            self._write(whole | {"instances": told})

    def instances(self) -> dict[str, int]:
        """The version that each living instance has seen; raises OSError."""
        now = datetime.now(UTC)
        return {name: one["version"] for name, one in self._read().get("instances", {}).items() if _lives(one, now)}

    def _read(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}

    def _write(self, whole: dict[str, Any]) -> None:
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
        beside.replace(self._path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        import fcntl  # noqa: PLC0415  where there is none, there are no several processes either

        with self._path.with_name(f"{self._path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _lives(one: dict[str, Any], now: datetime) -> bool:
    return now - datetime.fromisoformat(one["at"]) < _FORGOTTEN
