"""Everything that was recorded of an experiment, from where its proxies write it: an index or a file.

Reads whole; meant for commands and for a process of its own, never for the loop that serves searches.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from es_rerank.app import own
from es_rerank.cluster.client import Cluster, Refused
from es_rerank.cluster.records import scan
from es_rerank.config.loader import load
from es_rerank.config.settings import Settings
from es_rerank.core.experiment import ExperimentPolicy
from es_rerank.errors import ConfigError
from es_rerank.evaluation.records import Joined, join


def experiment_of(settings: Settings, identity: str) -> ExperimentPolicy:
    """The experiment in the policies; raises ConfigError."""
    found = {policy.experiment.id: policy.experiment for policy in load(settings.config) if policy.experiment is not None}
    if identity not in found:
        known = ", ".join(found) or "none"
        raise ConfigError(
            str(settings.config), "experiment.id", f"there is no experiment {identity!r}", f"there are: {known}"
        )
    return found[identity]


def joined(settings: Settings, experiment: ExperimentPolicy, since: str | None = None) -> Joined:
    """Its records and all events, of searches ``since`` a time (ISO 8601, UTC) or all; raises ConfigError for a file that
    cannot be read, Refused and UpstreamUnreachable.
    """
    exposures = experiment.exposures
    late: list[dict[str, Any]] = [] if since is None else [{"range": {"timestamp": {"gte": since}}}]
    with contextlib.closing(own.cluster(settings)) as cluster:
        if exposures.index is not None:
            about = {"bool": {"filter": [{"term": {"query_attributes.experiment": experiment.id}}, *late]}}
            records = _scanned(cluster, exposures.index, about, "query_id")
        else:
            records = [one for one in _lines(Path(exposures.file or "")) if since is None or one["timestamp"] >= since]
        if settings.events_index:
            events = _scanned(cluster, settings.events_index, {"bool": {"filter": late}}, "event_id")
        else:
            events = list(_lines(settings.events_file)) if settings.events_file else []
    return join(records, events, experiment.id)


def _scanned(cluster: Cluster, index: str, query: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """All of an index; raises ConfigError for one whose ids cannot be sorted by, since its mapping was guessed."""
    try:
        return list(scan(cluster, index, query, key))
    except Refused as fault:
        if fault.status != 400:  # noqa: PLR2004  the search itself is at fault
            raise
        remedy = "delete it, and make it with `es-rerank experiment install` before anything is written to it"
        raise ConfigError(index, key, f"this index has another mapping than records need: {fault}", remedy) from fault


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(
            str(path), "", f"cannot be read: {exc.strerror}", "is it the file that the proxies write?"
        ) from exc
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)
