"""Our own calls to Elasticsearch, with our own login: the cluster of the settings, and where records and events go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from es_rerank.cluster.client import Cluster
from es_rerank.cluster.exposures import ExposureSink, event_id_of, query_id_of
from es_rerank.cluster.state import FileState, IndexState
from es_rerank.config.settings import Settings
from es_rerank.core.experiment import ExposurePolicy
from es_rerank.upstream.credentials import authorization


def cluster(settings: Settings) -> Cluster:
    """The cluster of the settings."""
    return Cluster(
        settings.upstreams,
        authorization(settings),
        ca=settings.upstream_ca,
        fingerprint=settings.upstream_fingerprint,
        insecure=settings.upstream_insecure,
        cert=settings.upstream_cert,
        key=settings.upstream_key,
    )


class Sinks:
    """An ExposureLog over any number of places, each opened when its first record comes; events have one of their own."""

    def __init__(self, settings: Settings, tell: Callable[[str, int], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._open: dict[tuple[str | None, str | None], ExposureSink] = {}
        self._events: ExposureSink | None = None
        self._cluster: Cluster | None = None

    def event(self, identity: str, document: bytes) -> None:
        """Take an event with its id."""
        if self._events is None:
            index, file = self._settings.events_index or None, self._settings.events_file
            write = None if index is None else partial(self._ours().bulk, index)
            self._events = ExposureSink(write, file, self._tell, event_id_of)
        self._events.put(identity, document)

    def record(self, sink: ExposurePolicy, identity: str, document: bytes) -> None:
        """Take a document with its id."""
        key = (sink.index, sink.file)
        place = self._open.get(key)
        if place is None:
            place = self._open[key] = self._opened(sink)
        place.put(identity, document)

    def state(self, file: Path | None) -> IndexState | FileState:
        """Where instances share the state of experiments: the file, else the cluster."""
        return IndexState(self._ours()) if file is None else FileState(file)

    def close(self) -> None:
        """Write what is waiting."""
        for place in (*self._open.values(), *filter(None, [self._events])):
            place.close()
        if self._cluster is not None:
            self._cluster.close()

    def _ours(self) -> Cluster:
        if self._cluster is None:
            self._cluster = cluster(self._settings)
        return self._cluster

    def _opened(self, sink: ExposurePolicy) -> ExposureSink:
        write = None if sink.index is None else partial(self._ours().bulk, sink.index)
        return ExposureSink(write, Path(sink.file) if sink.file else None, self._tell, query_id_of)
