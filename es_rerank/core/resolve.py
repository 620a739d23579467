"""Index expression → the policies that it touches, and whether they agree.

The expression decides, before Elasticsearch is asked. Each comma part resolves to one policy: an exact name, then the
longest literal prefix. A part with ``*``, ``_all`` or no index resolves to every policy that could win for some name it
matches. Does not know aliases: a policy names them as clients do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from es_rerank.core.date_math import evaluate
from es_rerank.core.patterns import covers, literal_prefix, matches, overlap
from es_rerank.core.policy import IndexPolicy, PassagePolicy, ordering
from es_rerank.core.reasons import Passthrough, Reason


class Resolved(msgspec.Struct, frozen=True):
    """The policies that one search touches; all agree with ``lead`` on everything that shapes its order."""

    expression: str
    lead: IndexPolicy
    policies: tuple[IndexPolicy, ...]
    uncovered: tuple[str, ...]
    known: tuple[IndexPolicy, ...]

    def passage_for(self, index: str) -> PassagePolicy | None:
        """Which text to read from a hit of this concrete index; None: it is a hit without text."""
        found = winner(index, self.known) or winner(stream_of(index), self.known)
        if found is not None:
            return found.passage
        if len(self.policies) == 1 and index not in self.uncovered:
            return self.lead.passage
        return None

    @property
    def passages(self) -> tuple[PassagePolicy, ...]:
        """The passage rules of all touched policies, each once."""
        return tuple(dict.fromkeys(policy.passage for policy in self.policies))


def stream_of(index: str) -> str:
    """Name the data stream of a backing index: ``.ds-logs-app-2026.11.23-000001`` → ``logs-app``."""
    pieces = index.removeprefix(".ds-").rsplit("-", 2)
    return pieces[0] if index.startswith(".ds-") and len(pieces) == 3 else index  # noqa: PLR2004  name, date, number


def winner(name: str, policies: Iterable[IndexPolicy]) -> IndexPolicy | None:
    """The one policy for a plain name: exact first, then the longest literal prefix."""
    best: tuple[bool, int] | None = None
    found = None
    for policy in policies:
        for pattern in policy.indices:
            rank = (pattern == name, len(literal_prefix(pattern)))
            if matches(pattern, name) and (best is None or rank > best):
                best, found = rank, policy
    return found


def resolve(expression: str | None, policies: Sequence[IndexPolicy], now: datetime) -> Resolved | Passthrough:
    """Find the policies of a decoded index expression; None, an empty one and ``_all`` mean every index."""
    parts = [evaluate(part, now) for part in (expression or "*").split(",") if part]
    touched: dict[str, IndexPolicy] = {}
    uncovered: list[str] = []
    for place, part in enumerate(parts):
        if part.startswith("-") and place > 0:
            _exclude(part[1:], touched)
        elif part == "_all" or "*" in part:
            touched |= _could_match("*" if part == "_all" else part, policies)
        else:
            found = winner(part, policies)
            if found is None:
                uncovered.append(part)
            else:
                touched[part] = found
    distinct = tuple({id(policy): policy for policy in touched.values()}.values())
    if not distinct:
        return Passthrough(Reason.NO_POLICY)
    lead = distinct[0]
    if any(ordering(policy) != ordering(lead) for policy in distinct):
        return Passthrough(Reason.POLICIES_DIFFER)
    if not lead.enabled:
        return Passthrough(Reason.DISABLED)
    return Resolved(expression or "_all", lead, distinct, tuple(uncovered), tuple(policies))


def _could_match(part: str, policies: Sequence[IndexPolicy]) -> dict[str, IndexPolicy]:
    """Every pattern of a policy that wins for some name which the part matches."""
    patterns = [(pattern, policy) for policy in policies for pattern in policy.indices]
    found = {}
    for pattern, policy in patterns:
        beaten = any(
            len(literal_prefix(other)) > len(literal_prefix(pattern)) and covers(other, part) for other, _ in patterns
        )
        if overlap(part, pattern) and not beaten:
            found[pattern] = policy
    return found


def _exclude(part: str, touched: dict[str, IndexPolicy]) -> None:
    """Take out what an exclusion covers as a whole; ``-_all`` takes out everything."""
    for pattern in [pattern for pattern in touched if part == "_all" or covers(part, pattern)]:
        del touched[pattern]
