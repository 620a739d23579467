"""Index names and patterns: which matches which.

A pattern is literal text in which ``*`` stands for any text, an empty one too; nothing else is special.
"""

from __future__ import annotations

import re
from functools import lru_cache


def literal_prefix(pattern: str) -> str:
    """The text before the first ``*``; the whole of a plain name."""
    return pattern.partition("*")[0]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in re.split(r"\*+", pattern)), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the plain name."""
    return _compiled(pattern).fullmatch(name) is not None


def covers(pattern: str, other: str) -> bool:
    """Whether every name that ``other`` (name or pattern) matches is matched by ``pattern`` too.

    A ``*`` of ``other`` is treated as one character that only a ``*`` can match: exact but for exotic patterns with
    several stars, where the answer may be "no" although "yes" would be right.
    """
    return matches(pattern, other.replace("*", "\0"))


def overlap(one: str, two: str) -> bool:
    """Whether some name is matched by both (names or patterns).

    Walks ``one`` letter by letter and keeps the set of places in ``two`` that can have been reached.
    """
    reachable = _past_stars({0}, two)
    for letter in one:
        following: set[int] = set()
        for place in reachable:
            if letter == "*":
                following.update(range(place, len(two) + 1))
            elif place < len(two) and two[place] == "*":
                following.add(place)
            elif place < len(two) and two[place] == letter:
                following.add(place + 1)
        reachable = _past_stars(following, two)
    return len(two) in reachable


def _past_stars(places: set[int], pattern: str) -> set[int]:
    """Add what is reached by letting each ``*`` at a place stand for nothing."""
    found = set(places)
    for place in places:
        while place < len(pattern) and pattern[place] == "*":
            place += 1  # noqa: PLW2901  the walk over the stars
            found.add(place)
    return found
