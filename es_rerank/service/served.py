"""What came of a search: the nouns that its walks hand to whoever writes answers, logs and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from es_rerank.core.ports import Headers, UpstreamRequest
from es_rerank.core.reasons import Disposition
from es_rerank.search.answer import FirstStage
from es_rerank.search.fusion import Ranked
from es_rerank.search.long_text import Judged
from es_rerank.search.plan import RerankPlan

_MOST_TOLD = 50
"""Searches of one request that ``X-Rerank`` tells of one by one."""


class Times(msgspec.Struct):
    """Where the time of one search went, in seconds."""

    upstream: float = 0.0
    queue: float = 0.0
    model: float = 0.0


class Complete(msgspec.Struct, frozen=True):
    """A whole answer for the client."""

    status: int
    headers: Headers
    body: bytes


class Served(msgspec.Struct, frozen=True):
    """What came of a search: an answer, or None where the original request is to be sent as it came.

    ``replays``: the original is sent although Elasticsearch was asked already. ``request`` is what stands for the original
    then, where that held words that are not for Elasticsearch. ``teams`` and ``drafted`` are those of an interleaved list
    (:class:`es_rerank.service.orders.Ordered`). ``raw`` is Elasticsearch's answer to one search of many that was not
    widened.
    """

    disposition: Disposition
    answer: Complete | None = None
    times: Times = msgspec.field(default_factory=Times)
    hits: int = 0
    bytes_added: int = 0
    error: str = ""
    stage: FirstStage | None = None
    order: Sequence[Ranked] = ()
    judged: Sequence[Judged] = ()
    plan: RerankPlan | None = None
    replays: bool = False
    request: UpstreamRequest | None = None
    teams: Mapping[str, Sequence[int]] = {}
    drafted: Mapping[int, str] = {}
    raw: bytes | None = None


class Part(msgspec.Struct, frozen=True):
    """One search of a request, and what came of it; ``expression`` and ``policy`` are for logs."""

    expression: str
    policy: str
    served: Served


class ServedMany(msgspec.Struct, frozen=True):
    """What came of a request of one or many searches: an answer, or None where it is to be sent as it came.

    ``request`` is to be sent in its place then, where there is one.
    """

    parts: tuple[Part, ...]
    answer: Complete | None = None
    request: UpstreamRequest | None = None

    def header(self) -> str:
        """The ``X-Rerank`` value: a list, one member for each search in order (RFC 9651, section 3.1).

        Clients limit the size of header lines: of very many searches only the outcomes are counted.
        """
        told = [part.served.disposition.header() for part in self.parts]
        if len(told) > _MOST_TOLD:
            counts = Counter(part.served.disposition.outcome for part in self.parts)
            told = [f"{outcome};searches={count}" for outcome, count in counts.items()]
        return ", ".join(told)

    @property
    def query_ids(self) -> tuple[str, ...]:
        """The ids of the searches that belong to an experiment, in order."""
        plans = (part.served.plan for part in self.parts)
        return tuple(plan.assignment.query_id for plan in plans if plan is not None and plan.assignment is not None)

    @property
    def times(self) -> Times:
        """Where the time went: of searches that ran at once, the longest."""
        all_of_them = [part.served.times for part in self.parts]
        return Times(
            max((times.upstream for times in all_of_them), default=0.0),
            max((times.queue for times in all_of_them), default=0.0),
            max((times.model for times in all_of_them), default=0.0),
        )
