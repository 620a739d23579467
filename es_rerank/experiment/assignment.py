"""Which variant a unit gets: one hash of unit and salt, and an order of shares that ramps without moving anybody.

A unit's hash is a point in [0, 1). Treatments hold the ends of that range and control the middle, so a share that grows
takes units from control only. With more than two treatments each pair of them has an equal part of the range to grow in;
past that it takes what is free elsewhere, and a pair that grows later may take it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from es_rerank.core.experiment import CONTROL, ExperimentPolicy, Mode, UnitSource
from es_rerank.core.ports import Headers

_MOST_SEGMENT = 64


class Assignment(msgspec.Struct, frozen=True):
    """What one eligible search is in an experiment.

    ``unit`` is a hash; empty where the mode needs none. ``variant`` is what was assigned, in ``interleave`` all of them
    joined by ``+``. ``stratum`` names the state of policy and weights under which it was. ``forced``: a debugging header
    chose, so nothing is recorded. ``segments``: what the request says of itself for the report.
    """

    experiment: ExperimentPolicy
    query_id: str
    unit: str
    variant: str
    stratum: str
    forced: bool = False
    segments: dict[str, str] = {}

    @property
    def mode(self) -> Mode:
        """How the experiment compares."""
        return self.experiment.mode


def unit_of(headers: Headers, sources: tuple[UnitSource, ...]) -> str | None:
    """Whose request it is, in clear; None: it does not say. An empty value does not count."""
    for source in sources:
        found = _header(headers, source.header) if source.header else _cookie(headers, source.cookie or "")
        if found:
            return found
    return None


def segments_of(headers: Headers, sources: Mapping[str, UnitSource]) -> dict[str, str]:
    """What a request says of itself, folded and at most 64 characters each; what it does not say is left out."""
    said = {name: unit_of(headers, (source,)) for name, source in sources.items()}
    return {name: value.casefold()[:_MOST_SEGMENT] for name, value in said.items() if value}


def _header(headers: Headers, name: str) -> str:
    wanted = name.lower().encode()
    return next((value.decode("latin-1").strip() for key, value in headers if key.lower() == wanted), "")


def _cookie(headers: Headers, name: str) -> str:
    """The value of a cookie as it was sent (RFC 6265, section 4.2)."""
    for key, value in headers:
        for pair in value.decode("latin-1").split(";") if key.lower() == b"cookie" else ():
            found, mark, content = pair.strip().partition("=")
            if mark and found == name:
                return content.strip('"')
    return ""


def hashed(secret: str, unit: str) -> str:
    """A unit as records hold it: 32 hexadecimal digits of SHA-256 over salt and unit."""
    return hashlib.sha256(f"{secret}\0{unit}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def point(unit: str) -> float:
    """Where a hashed unit stands in [0, 1)."""
    return int(unit[:13], 16) / 16**13


def assign(unit: str, weights: Mapping[str, float]) -> str:
    """The variant of a hashed unit; ``weights`` have a positive sum, control among them or not."""
    place = point(unit)
    for name, start, end in shares(weights):
        if start <= place < end:
            return name
    return CONTROL if weights.get(CONTROL, 0) > 0 else max(weights, key=lambda name: weights[name])


def shares(weights: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """The treatments' parts of [0, 1), each ``(name, start, end)``; a treatment may have several."""
    total = sum(weights.values())
    names = sorted(name for name in weights if name != CONTROL)
    wanted = {name: weights[name] / total for name in names}
    pairs = [names[step : step + 2] for step in range(0, len(names), 2)]
    width = 1 / max(len(pairs), 1)
    found: list[tuple[str, float, float]] = []
    free: list[tuple[float, float]] = []
    for number, pair in enumerate(pairs):
        low, high = number * width, (number + 1) * width
        first = min(wanted[pair[0]], high - low)
        second = min(wanted[pair[1]], high - low - first) if len(pair) > 1 else 0.0
        found.append((pair[0], low, low + first))
        wanted[pair[0]] -= first
        if len(pair) > 1:
            found.append((pair[1], high - second, high))
            wanted[pair[1]] -= second
        free.append((low + first, high - second))
    for name in names:
        found += _taken(name, wanted[name], free)
    return [(name, start, end) for name, start, end in found if end > start]


def _taken(name: str, wanted: float, free: list[tuple[float, float]]) -> list[tuple[str, float, float]]:
    """Parts of what is free, from the last end backwards; ``free`` shrinks by them."""
    found = []
    for place in range(len(free) - 1, -1, -1):
        low, high = free[place]
        taken = min(wanted, high - low)
        if taken > 0:
            found.append((name, high - taken, high))
            free[place] = (low, high - taken)
            wanted -= taken
    return found


def stratum(experiment: ExperimentPolicy, policies: object) -> str:
    """Name the state under which searches are comparable: mode, weights, and every variant's policy as it prints."""
    said = repr((experiment.mode, experiment.weights, policies))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]
