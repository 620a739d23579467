"""The one tree of exceptions.

Its law: an exception is a fault, never an expected outcome (those are values). Each class says whose
fault it is; foreign exceptions are translated once, at the border of the room that met them, ``from exc``.

    EsRerankError
    ├── ConfigError            the operator's YAML or settings: file, line, key, what is wrong, the remedy
    ├── UpstreamError          Elasticsearch, or the way to it
    │   ├── UpstreamUnreachable    nothing was answered: no connection (502)
    │   ├── UpstreamTimeout        nothing was answered in time (504)
    │   ├── UpstreamTooLarge       the answer grew past its limit; reading stopped
    │   └── UpstreamBroken         the answer broke off in the middle (502)
    ├── AnswerUnreadable       Elasticsearch's answer is not what a search answer looks like
    └── ScorerError            the model
        ├── ModelLoadError         cannot be loaded: what, where it was looked for, what to do
        ├── ScorerBusy             the queue is full
        └── ScorerWarmingUp        not loaded yet
"""

from __future__ import annotations


class EsRerankError(Exception):
    """The root: whatever this project raises on purpose."""


class ConfigError(EsRerankError):
    """What an operator wrote cannot be used.

    ``place`` is ``FILE`` or ``FILE:LINE`` (lines from 1), ``key`` the dotted key or an empty string.
    """

    def __init__(self, place: str, key: str, problem: str, remedy: str) -> None:
        """Keep the four parts, and join them to one line for people."""
        self.place = place
        self.key = key
        self.problem = problem
        self.remedy = remedy
        named = f"{key}: " if key else ""
        super().__init__(f"{place}: {named}{problem} ({remedy})")


class UpstreamError(EsRerankError):
    """Elasticsearch could not be asked, or did not answer. ``status`` is what a client gets for it."""

    status = 502
    kind = "upstream_unreachable_exception"


class UpstreamUnreachable(UpstreamError):
    """No connection to Elasticsearch; nothing was sent that could have had an effect."""


class UpstreamTimeout(UpstreamError):
    """Elasticsearch did not answer in time."""

    status = 504
    kind = "upstream_timeout_exception"


class UpstreamTooLarge(UpstreamError):
    """The answer grew past the limit that the caller had set; the rest was not read."""


class UpstreamBroken(UpstreamError):
    """The connection ended before the answer did."""

    kind = "upstream_broken_exception"


class AnswerUnreadable(EsRerankError):
    """A 200 of Elasticsearch that cannot be taken apart safely, so it must not be rewritten."""


class ScorerError(EsRerankError):
    """The model failed; the search goes on in first-stage order."""


class ModelLoadError(ScorerError):
    """A model cannot be loaded; the message names it, the places looked at, and the ways out."""


class ScorerBusy(ScorerError):
    """The queue in front of the model is full: refused at once instead of late."""


class ScorerWarmingUp(ScorerError):
    """The model is still being loaded."""
