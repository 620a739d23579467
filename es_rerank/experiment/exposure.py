"""One eligible search → its record, in the fields of User Behavior Insights 1.3 (``ubi_queries``).

What that specification has no field for stands in ``query_attributes``, its place for it. Source: the schema
``query.request.schema.json`` and ``query.response.schema.json`` of o19s/ubi 1.3. Units are hashed before they come here.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from es_rerank.core.reasons import Disposition
from es_rerank.experiment.assignment import Assignment
from es_rerank.experiment.difference import Difference

APPLICATION = "es-rerank"


class Shown(msgspec.Struct, frozen=True):
    """The hits of the page, best first; ``ranks`` gives each one's place, from 1, under a variant's order.

    ``teams``: who drafted it, of interleaved lists. ``total``: the hits that matched, where Elasticsearch counted them.
    """

    ids: tuple[str, ...] = ()
    ranks: dict[str, tuple[int, ...]] = {}
    teams: tuple[str, ...] = ()
    total: int | None = None


class Took(msgspec.Struct, frozen=True):
    """Milliseconds: of the whole search as the client waited for it, of Elasticsearch, of the model."""

    total_ms: float
    upstream_ms: float
    model_ms: float


class Page(msgspec.Struct, frozen=True):
    """``from`` and ``size`` of the search; ``query`` is the words that were searched for."""

    query: str
    start: int
    size: int
    index: str


def served(assignment: Assignment, disposition: Disposition) -> str:
    """The variant whose order the client really got: ``control`` where nothing was reranked."""
    return assignment.variant if disposition.scored else "control"


def record(
    assignment: Assignment,
    disposition: Disposition,
    page: Page,
    shown: Shown,
    took: Took,
    *,
    status: int,
    at: datetime,
    difference: Difference | None = None,
) -> bytes:
    """The record as JSON; absent values are left out."""
    experiment = assignment.experiment
    attributes = {
        "experiment": experiment.id,
        "mode": experiment.mode,
        "stratum": assignment.stratum,
        "weights": experiment.weights,
        "variant": assignment.variant,
        "served": served(assignment, disposition),
        "outcome": disposition.outcome.value,
        "reason": disposition.reason.value if disposition.reason else None,
        "window": disposition.window,
        "scored": disposition.scored,
        "index": page.index,
        "from": page.start,
        "size": page.size,
        "total": shown.total,
        "status": status,
        "ranks": shown.ranks,
        "teams": shown.teams or None,
        "latency_ms": round(took.total_ms, 2),
        "upstream_ms": round(took.upstream_ms, 2),
        "model_ms": round(took.model_ms, 2),
        "segments": assignment.segments or None,
        "difference": None if difference is None else msgspec.structs.asdict(difference),
    }
    document = {
        "application": APPLICATION,
        "query_id": assignment.query_id,
        "client_id": assignment.unit or None,
        "user_query": _words(page.query, experiment.exposures.query_text, experiment.secret),
        "object_id_field": "_id",
        "query_response_id": assignment.query_id,
        "query_response_hit_ids": shown.ids,
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "query_attributes": {name: value for name, value in attributes.items() if value is not None},
    }
    return msgspec.json.encode({name: value for name, value in document.items() if value is not None})


def folded(query: str) -> str:
    """A query without what makes no difference between two searches: case, and how many blanks."""
    return " ".join(query.casefold().split())


def _words(query: str, how: str, secret: str) -> str | None:
    """The query text as the policy allows it; a hash still tells equal queries from different ones."""
    if how == "keep":
        return query
    return (
        None
        if how == "drop"
        else hashlib.sha256(f"{secret}\0{folded(query)}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    )
