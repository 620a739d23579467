"""Where the values of a JSON text stand, so that some can be replaced and every other byte kept.

``msgspec`` checks the text and says how long each value is; a walk over the keys between them turns lengths into
offsets. Spans are ``(start, end)`` in bytes of the whole text. Does not change number spelling, key order or blanks;
refuses (ValueError) duplicate keys, comments and whatever else is not strict JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

Span = tuple[int, int]
Path = tuple[str | int, ...]

_BLANK = re.compile(rb"[ \t\n\r]*")
_KEY = re.compile(rb'[ \t\n\r]*"((?:[^"\\]|\\.)*)"[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SPACE = 0x20
"""Engines write no blanks unless they are asked to: whatever is greater stands where it is looked for."""

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class Member(msgspec.Struct, frozen=True):
    """One ``"key": value`` of an object: where the key's quote opens, and the span of the value."""

    start: int
    value: Span


@lru_cache(512)
def _compact(name: str) -> bytes:
    """How engines write a key that they were not asked to write prettily."""
    return b'"%b":' % name.encode()


def _skip(data: bytes, place: int) -> int:
    match = _BLANK.match(data, place)
    return match.end() if match else place


def members(data: bytes, span: Span | None = None) -> dict[str, Member]:
    """Locate the members of the object in ``span`` (default: the whole text), in their order."""
    start, end = span or (0, len(data))
    decoded = _OBJECT.decode(memoryview(data)[start:end])
    place = _skip(data, start) + 1
    found: dict[str, Member] = {}
    for name, raw in decoded.items():
        compact = _compact(name)
        value = place + len(compact)
        if data.startswith(compact, place) and data[value] > _SPACE:
            begin = place
        else:
            key = _KEY.match(data, place)
            if key is None or (key[1] != name.encode() and msgspec.json.decode(b'"' + key[1] + b'"') != name):
                msg = "an object holds a key twice"
                raise ValueError(msg)
            begin, value = key.start(1) - 1, key.end()
        finish = value + len(memoryview(raw))
        found[name] = Member(begin, (value, finish))
        place = (finish if data[finish] > _SPACE else _skip(data, finish)) + 1
    if data[place - 1 : place] != b"}" and found:
        msg = "an object holds a key twice"
        raise ValueError(msg)
    return found


def elements(data: bytes, span: Span) -> list[Span]:
    """Locate the elements of the array in ``span``."""
    start, end = span
    decoded = _ARRAY.decode(memoryview(data)[start:end])
    place = _skip(data, start) + 1
    found = []
    for raw in decoded:
        begin = place if data[place] > _SPACE else _skip(data, place)
        finish = begin + len(memoryview(raw))
        found.append((begin, finish))
        place = (finish if data[finish] > _SPACE else _skip(data, finish)) + 1
    return found


def value(data: bytes, span: Span) -> object:
    """Decode the value in ``span``."""
    return msgspec.json.decode(memoryview(data)[span[0] : span[1]])


def locate(data: bytes, path: Path) -> Span:
    """Find the span of the value at a path of keys and list places; KeyError where there is none."""
    start = _skip(data, 0)
    span = (start, len(data.rstrip(b" \t\n\r")))
    for step in path:
        span = elements(data, span)[step] if isinstance(step, int) else members(data, span)[step].value
    return span


def replace(data: bytes, changes: Mapping[Span, bytes]) -> bytes:
    """Put new bytes in the place of spans that do not overlap."""
    pieces = []
    place = 0
    for (start, end), new in sorted(changes.items()):
        pieces += [data[place:start], new]
        place = end
    return b"".join([*pieces, data[place:]])


def set_members(data: bytes, path: Path, changes: Mapping[str, bytes]) -> bytes:
    """Set keys of the object at ``path``: present ones get the new value, the others are appended."""
    span = locate(data, path)
    present = members(data, span)
    edits = {present[key].value: new for key, new in changes.items() if key in present}
    added = b",".join(msgspec.json.encode(key) + b":" + new for key, new in changes.items() if key not in present)
    if added:
        edits[(span[1] - 1, span[1] - 1)] = (b"," if present else b"") + added
    return replace(data, edits)


def without(data: bytes, span: Span, names: frozenset[str]) -> dict[Span, bytes]:
    """Give the edits that take members out of the object in ``span``, each with one comma beside it."""
    order = list(members(data, span).items())
    edits: dict[Span, bytes] = {}
    kept = False
    for place, (name, member) in enumerate(order):
        if name not in names:
            kept = True
        elif kept:
            edits[(order[place - 1][1].value[1], member.value[1])] = b""
        else:
            following = order[place + 1][1].start if place + 1 < len(order) else member.value[1]
            edits[(member.start, following)] = b""
    return edits
