"""Protocols to the outside: what the service asks of Elasticsearch, the model, the clock and the log.

Rooms with I/O implement them; the service knows nothing else of those rooms. Holds no behaviour.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

import msgspec

from es_rerank.core.experiment import ExposurePolicy
from es_rerank.core.reasons import Disposition

Headers = tuple[tuple[bytes, bytes], ...]
"""Header lines in the order of the wire, names in any case."""

Precision = Literal["auto", "fp32", "bf16", "fp16", "fp8", "int8"]
"""How a model's numbers are held and multiplied; ``fp8`` and ``int8`` are not exact."""


SECRET = frozenset({b"authorization", b"cookie", b"es-secondary-authorization", b"proxy-authorization", b"x-api-key"})
"""Header lines whose values never print."""


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One request to Elasticsearch. ``target`` is path and query exactly as they go on the wire.

    ``body`` is None for a request without one, bytes, or a stream that is read once. ``repeatable``: asking twice has no
    effect of its own (a search), so a request lost on a connection that was closed meanwhile may be sent again.
    """

    method: str
    target: bytes
    headers: Headers
    body: bytes | AsyncIterator[bytes] | None = None
    repeatable: bool = False

    def __repr__(self) -> str:
        """Name the request without its secrets and without its body, which may hold a person's words."""
        lines = [(name, b"<hidden>" if name.lower() in SECRET else value) for name, value in self.headers]
        return f"<UpstreamRequest {self.method} {self.target.partition(b'?')[0]!r} {lines}>"


class UpstreamResponse(msgspec.Struct, frozen=True):
    """A whole answer; ``body`` is still in the coding that ``Content-Encoding`` names."""

    status: int
    headers: Headers
    body: bytes


class StreamedResponse(Protocol):
    """An answer whose body is still arriving, in raw pieces as received."""

    status: int
    headers: Headers

    @property
    def ended(self) -> bool:
        """Whether the last piece of the body has been given."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body; raises UpstreamBroken when it breaks off."""
        ...


class Upstream(Protocol):
    """Elasticsearch. Nothing is added to or taken from the request but hop-by-hop framing and ``Host``."""

    async def send(self, request: UpstreamRequest, *, timeout_s: float | None, max_bytes: int) -> UpstreamResponse:
        """Ask and read the whole answer.

        Raises UpstreamUnreachable, UpstreamTimeout, UpstreamBroken; UpstreamTooLarge as soon as ``max_bytes`` are
        exceeded. Cancelling closes the connection, which cancels the search in Elasticsearch.
        """
        ...

    def stream(self, request: UpstreamRequest) -> AbstractAsyncContextManager[StreamedResponse]:
        """Ask and hand on the answer as it comes; leaving the context early closes the connection."""
        ...


class ScoringJob(msgspec.Struct, frozen=True):
    """Score ``passages``, in first-stage order, for ``query``.

    ``max_length`` counts tokens of query and passage together; ``deadline`` is a time of the loop's monotonic clock.
    ``index`` is the policy that shares the model by its ``weight``.
    """

    query: str
    passages: tuple[str, ...]
    max_length: int
    deadline: float
    index: str = ""
    weight: float = 1.0


class Scored(msgspec.Struct, frozen=True):
    """Logits in the order of the passages; None: not scored before the deadline. Times in seconds.

    ``truncated``, in the same order: the model did not see the whole passage. Empty: the scorer cannot tell. ``tokens``: how
    many the pairs have (an estimate for scorers that tokenise by themselves).
    """

    logits: tuple[float | None, ...]
    truncated: tuple[bool, ...] = ()
    queued_s: float = 0.0
    model_s: float = 0.0
    tokens: int = 0


class Scorer(Protocol):
    """The model, as the service sees it."""

    async def score(self, job: ScoringJob) -> Scored:
        """Score until the deadline; raises ScorerBusy, ScorerWarmingUp, ScorerError. Cancelling drops the work."""
        ...


class Clock(Protocol):
    """Monotonic seconds, comparable with a job's deadline."""

    def __call__(self) -> float:
        """Tell the time."""
        ...


class SearchRecord(msgspec.Struct, frozen=True):
    """What one search was, for logs and metrics: never query text, never a secret. Times in seconds, sizes in bytes."""

    index: str
    policy: str
    disposition: Disposition
    status: int
    hits: int
    total_s: float
    upstream_s: float
    queue_s: float
    model_s: float
    own_s: float
    bytes_added: int
    error: str = ""


class ExposureLog(Protocol):
    """Where records of experiments go."""

    def record(self, sink: ExposurePolicy, identity: str, document: bytes) -> None:
        """Take a JSON document with its id; never raises, never waits. What cannot be kept is counted."""
        ...


class SearchLog(Protocol):
    """Where searches are counted and logged."""

    def record(self, search: SearchRecord) -> None:
        """Take note; never raises, never waits."""
        ...
