"""``filter_path`` applied here, since the answer that is ranked has to come whole (rule R19).

As Elasticsearch does it (``FilterPath`` and ``FilterPathBasedFilter`` in elastic/elasticsearch, over Jackson's filtering
generator): steps between dots, ``*`` within a step, ``**`` for one or more steps, a leading ``-`` excludes. Arrays are
transparent; objects and arrays that lose everything vanish, those that were empty stay where they are named whole. A
``_source`` is written anew, with Java's spelling of numbers; everything else keeps its bytes. Engines differ a little:
see :class:`Habits` (seen on Elasticsearch 7.10, 8.19 and 9.5 and on OpenSearch 3.8).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from es_rerank.core.ports import Headers
from es_rerank.search.headers import first

Pattern = tuple[str, ...]
State = tuple[Pattern, int]
"""A pattern, and which of its steps comes next."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_STEP = re.compile(r"\.|\\\.|.", re.DOTALL)
_ESCAPED_WITHIN_THE_PLANE = re.compile(r'["\\\x00-\x1f]')
_ESCAPED = re.compile(r'["\\\x00-\x1f\U00010000-\U0010ffff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7


class Habits(msgspec.Struct, frozen=True):
    """In what engines differ: where nothing but excludes filter, do objects and arrays that were empty stay; are
    characters beyond the basic plane written as two escapes.
    """

    keeps_empty: bool
    escapes_pairs: bool


ELASTICSEARCH, ELASTICSEARCH_7, OPENSEARCH = Habits(True, True), Habits(False, True), Habits(False, False)


def habits(headers: Headers, data: bytes) -> Habits:
    """Those of the engine that answered so: OpenSearch names itself, hits of Elasticsearch 7 have a ``_type``."""
    if first(headers, b"x-opensearch-version") is not None:
        return OPENSEARCH
    old = first(headers, b"x-elastic-product") is None or b'"_type":' in data
    return ELASTICSEARCH_7 if old else ELASTICSEARCH


class FilterPath(msgspec.Struct, frozen=True):
    """What to include (none: everything) and what to exclude."""

    includes: tuple[Pattern, ...]
    excludes: tuple[Pattern, ...]

    def __bool__(self) -> bool:
        """Whether anything is filtered at all."""
        return bool(self.includes or self.excludes)

    def applied(self, data: bytes, engine: Habits = ELASTICSEARCH) -> bytes:
        """Filter a JSON object as an engine would; nothing left is ``{}``."""
        kept: bytes | None = data
        if self.includes:
            kept = _Pass(engine, inclusive=True).kept(data, _begun(self.includes), sources=True)
        if self.excludes and kept is not None:
            kept = _Pass(engine, inclusive=False).kept(kept, _begun(self.excludes), sources=not self.includes)
        return b"{}" if kept is None else kept


def parse(value: str | None) -> FilterPath:
    """Read the parameter: a comma list; blanks around entries and empty entries mean nothing."""
    entries = [entry.strip() for entry in (value or "").split(",")]
    includes = [_steps(entry) for entry in entries if entry and not entry.startswith("-")]
    excludes = [_steps(entry[1:]) for entry in entries if entry.startswith("-") and entry != "-"]
    return FilterPath(tuple(filter(None, includes)), tuple(filter(None, excludes)))


def _steps(entry: str) -> Pattern:
    """Split at dots that no backslash precedes."""
    steps = [""]
    for piece in _STEP.findall(entry):
        if piece == ".":
            steps.append("")
        else:
            steps[-1] += "." if piece == "\\." else piece
    return tuple(steps)


def _begun(patterns: Iterable[Pattern]) -> tuple[State, ...]:
    return tuple((pattern, 0) for pattern in patterns)


def _stepped(states: Sequence[State], name: str) -> tuple[State, ...] | None:
    """The states behind a key; None: a pattern ends here, so the value is named whole."""
    following: dict[State, None] = {}
    for pattern, place in states:
        if _glob(pattern[place], name):
            if place + 1 == len(pattern):
                return None
            following[pattern, place + 1] = None
        if place and pattern[place - 1] == "**":
            following[pattern, place] = None
    return tuple(following)


@lru_cache(4096)
def _glob(step: str, name: str) -> bool:
    if "*" not in step:
        return step == name
    return re.fullmatch(".*".join(map(re.escape, step.split("*"))), name, re.DOTALL) is not None


class _Pass:
    """One walk over an answer, by includes or by excludes. ``sources``: a ``_source`` is still as it was stored."""

    def __init__(self, engine: Habits, *, inclusive: bool) -> None:
        self._engine = engine
        self._inclusive = inclusive

    def kept(self, data: bytes, states: Sequence[State], *, sources: bool) -> bytes | None:
        """What is left of a value; None: nothing."""
        if data[:1] == b"[":
            elements = _ARRAY.decode(data)
            left = [self.kept(bytes(part), states, sources=sources) for part in elements]
            parts = [part for part in left if part is not None]
            return b"[" + b",".join(parts) + b"]" if parts else self._emptied(elements, b"[]")
        if data[:1] != b"{":
            return None if self._inclusive else data
        before = _OBJECT.decode(data)
        members = [self._member(name, bytes(raw), states, sources=sources) for name, raw in before.items()]
        whole = [member for member in members if member is not None]
        return b"{" + b",".join(whole) + b"}" if whole else self._emptied(before, b"{}")

    def _member(self, name: str, value: bytes, states: Sequence[State], *, sources: bool) -> bytes | None:
        """What is left of one member of an object, its key before it."""
        stored = sources and name == "_source"
        if stored:
            value = self._written(msgspec.json.decode(value)).encode()
        following = _stepped(states, name)
        if following:
            found = self.kept(value, following, sources=sources and not stored)
        elif (following is None) is self._inclusive:
            found = self._whole(value, sources=sources and not stored)
        else:
            found = None
        return None if found is None else f"{self._quoted(name)}:".encode() + found

    def _emptied(self, before: Collection[object], empty: bytes) -> bytes | None:
        """A container in which nothing is left."""
        return None if self._inclusive or before or not self._engine.keeps_empty else empty

    def _whole(self, data: bytes, *, sources: bool) -> bytes:
        """A value that is kept as it is, but for the sources in it."""
        if not sources or b'"_source"' not in data:
            return data
        if data[:1] == b"[":
            return b"[" + b",".join(self._whole(bytes(part), sources=True) for part in _ARRAY.decode(data)) + b"]"
        if data[:1] != b"{":
            return data
        members = []
        for name, raw in _OBJECT.decode(data).items():
            stored = name == "_source"
            value = self._written(msgspec.json.decode(raw)).encode() if stored else self._whole(bytes(raw), sources=True)
            members.append(f"{self._quoted(name)}:".encode() + value)
        return b"{" + b",".join(members) + b"}"

    def _written(self, value: Any) -> str:  # noqa: ANN401  JSON
        """A value as Jackson writes it."""
        if isinstance(value, str):
            return self._quoted(value)
        if isinstance(value, dict):
            return "{" + ",".join(f"{self._quoted(name)}:{self._written(inner)}" for name, inner in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(self._written, value)) + "]"
        if isinstance(value, float):
            return java_double(value)
        return (
            {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
        )

    def _quoted(self, text: str) -> str:
        return f'"{(_ESCAPED if self._engine.escapes_pairs else _ESCAPED_WITHIN_THE_PLANE).sub(_escape, text)}"'


def java_double(value: float) -> str:
    """``Double.toString``: the shortest digits; plain from 0.001 up to ten million, else with an exponent."""
    sign = "-" if str(value)[0] == "-" else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        if exponent:  # Python turns to exponents at 0.0001 only
            digits = whole + fraction
            return f"{sign}0.{'0' * (-int(exponent) - 1)}{digits}"
        return f"{sign}{whole}.{fraction or '0'}"
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + (len(whole) - 1 if whole != "0" else -(len(fraction) - len(fraction.lstrip("0")) + 1))
    digits = digits.rstrip("0") or "0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def _escape(found: re.Match[str]) -> str:
    short = _SHORT.get(found[0])
    units = found[0].encode("utf-16-be").hex().upper()
    return short or "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
