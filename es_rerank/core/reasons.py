"""What happened to a search, and why: one closed list.

The same words stand in the ``X-Rerank`` header, the metrics, the logs and the compare page. Does not decide
anything; a decision is made where its facts are.
"""

from __future__ import annotations

import enum

import msgspec


class Outcome(enum.StrEnum):
    """How a search was served."""

    RERANKED = "reranked"
    PARTIAL = "partial"
    PASSED_THROUGH = "passed-through"
    FELL_BACK = "fell-back"


class Reason(enum.StrEnum):
    """Why a search was not reranked (in full)."""

    NO_POLICY = "no-policy"
    DISABLED = "disabled"
    MODE_OFF = "mode-off"
    CONTROL = "control"
    NO_UNIT = "no-unit"
    STOPPED = "stopped"
    ENTRY_POINT = "entry-point"
    POLICIES_DIFFER = "policies-differ"
    NO_QUERY_TEXT = "no-query-text"
    SORT = "sort"
    SIZE_ZERO = "size-zero"
    CURSOR = "cursor"
    BOUNDED = "bounded"
    BEYOND_WINDOW = "beyond-window"
    NOT_JSON = "not-json"
    NO_HITS = "no-hits"
    NO_TEXT = "no-text"
    PROFILE = "profile"
    PINNED = "pinned"
    ALREADY_RERANKED = "already-reranked"
    UNSUPPORTED = "unsupported"
    WIDENING_REFUSED = "widening-refused"
    UPSTREAM_ERROR = "upstream-error"
    TOO_LARGE = "too-large"
    QUEUE_FULL = "queue-full"
    TIMEOUT = "timeout"
    BREAKER_OPEN = "breaker-open"
    WARMING_UP = "warming-up"
    SCORER_ERROR = "scorer-error"
    NON_FINITE = "non-finite"
    BAD_CONTROL = "bad-control"
    INTERNAL_ERROR = "internal-error"


MEANINGS: dict[Reason, str] = {
    Reason.NO_POLICY: "no policy names this index expression",
    Reason.DISABLED: "the policy says `enabled: false`",
    Reason.MODE_OFF: "the client sent `X-Rerank-Mode: off`",
    Reason.CONTROL: "an experiment gave this search raw Elasticsearch",
    Reason.NO_UNIT: "an experiment runs, and the request does not say whose it is; it is not recorded",
    Reason.STOPPED: "the experiment's kill switch: everybody gets raw Elasticsearch",
    Reason.ENTRY_POINT: "the policy's `entry_points` do not name this way to search",
    Reason.POLICIES_DIFFER: "the expression touches policies that disagree",
    Reason.NO_QUERY_TEXT: "the search holds no words to rank by (a raw vector, `match_all`, filters only)",
    Reason.SORT: "the client sorts by something else than `_score`",
    Reason.SIZE_ZERO: "`size: 0`: no hits are asked for",
    Reason.CURSOR: "scroll, `search_after`, `slice` or a sorted point in time: the order feeds a cursor",
    Reason.BOUNDED: "`terminate_after`: a wider search would stop elsewhere",
    Reason.BEYOND_WINDOW: "the page starts behind the rank window, or reaches beyond 10,000 hits",
    Reason.NOT_JSON: "request or answer is not JSON that can be read without changing it",
    Reason.NO_HITS: "nothing was found, so there is nothing to rank",
    Reason.NO_TEXT: "no hit of the window has text in the fields that the policy names",
    Reason.PROFILE: "`profile: true`: a widened search would profile something else",
    Reason.PINNED: "`pinned`, `rule` or `percolate` decides the order",
    Reason.ALREADY_RERANKED: "the search asks Elasticsearch itself to rerank",
    Reason.UNSUPPORTED: "a form of search that cannot be widened without changing what it means",
    Reason.WIDENING_REFUSED: "Elasticsearch refused the wider search (or has lately); the original was sent",
    Reason.UPSTREAM_ERROR: "Elasticsearch answered with an error that no narrower search would mend (overload, no such "
    "index, no access); handed on",
    Reason.TOO_LARGE: "the widened answer grew past `widen.max_bytes`; the original was sent",
    Reason.QUEUE_FULL: "too much work is waiting for the model",
    Reason.TIMEOUT: "the model did not score within the budget",
    Reason.BREAKER_OPEN: "the model failed repeatedly and is being left alone for a while",
    Reason.WARMING_UP: "the model is still being loaded",
    Reason.SCORER_ERROR: "the model failed",
    Reason.NON_FINITE: "the model answered something that is not a number",
    Reason.BAD_CONTROL: "an `X-Rerank-…` request header has an invalid value",
    Reason.INTERNAL_ERROR: "a fault of ours, which is in the log; the original was sent",
}


class Passthrough(msgspec.Struct, frozen=True):
    """A search that is left to Elasticsearch as it came, and why."""

    reason: Reason


class Disposition(msgspec.Struct, frozen=True):
    """What was done with one search. ``window``, ``scored`` and ``truncated`` count hits; None: not applicable.

    ``truncated``: the model did not see the whole text. ``variant``: that of an experiment.
    """

    outcome: Outcome
    reason: Reason | None = None
    window: int | None = None
    scored: int | None = None
    truncated: int | None = None
    variant: str | None = None

    def header(self) -> str:
        """Write the ``X-Rerank`` value: a structured-field token with parameters (RFC 9651, section 3.3)."""
        parts = [self.outcome.value]
        if self.reason is not None:
            parts.append(f"reason={self.reason.value}")
        if self.window is not None:
            parts.append(f"window={self.window}")
        if self.scored is not None:
            parts.append(f"scored={self.scored}")
        if self.truncated is not None:
            parts.append(f"truncated={self.truncated}")
        if self.variant is not None:
            parts.append(f'variant="{self.variant}"')
        return ";".join(parts)
