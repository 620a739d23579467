"""How many scorers a traffic needs, how long searches then wait, and what a million of them cost.

A search is work of ``pairs x tokens``; a replica does so many tokens a second, one search after another (its batches mix
searches, which changes no sum). Searches come at random times and go to the replica with least work, so the fleet is close
to a queue with c servers: Erlang's C for how many wait (Erlang 1917), the wait of those exponential, scaled for work that
varies (Allen and Cunneen; in Whitt, "Approximations for the GI/G/m queue", Production and Operations Management 1993). How
far that is from a simulation and from a measured run stands in the documentation. Does no I/O.
"""

from __future__ import annotations

import math

import msgspec

HOURS_S = 3600.0
_MOST = 1_000_000


class Traffic(msgspec.Struct, frozen=True):
    """What comes: searches a second that are reranked, pairs of one, tokens of a pair (query and specials included).

    ``spread``: the standard deviation of a search's work over its mean; windows that are always full have about 0.3.
    """

    searches_per_s: float
    pairs: float
    tokens: float
    spread: float = 0.3


class Device(msgspec.Struct, frozen=True):
    """What one replica does: tokens a second as measured (``doctor`` and ``make bench`` say), and what it costs an hour.

    ``fixed_ms``: what a search costs beside its tokens, on the way there and back.
    """

    tokens_per_s: float
    cost_per_hour: float = 0.0
    fixed_ms: float = 2.0


class Fleet(msgspec.Struct, frozen=True):
    """So many replicas under that traffic. Times in milliseconds, from the scorer being asked to its answer.

    ``late``: the share of searches that would not be scored whole within the budget. Infinite times: the queue only grows.
    """

    replicas: int
    utilisation: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    late: float
    cost_per_million: float


def fleet(traffic: Traffic, device: Device, replicas: int, budget_ms: float) -> Fleet:
    """What so many replicas give."""
    service_s = traffic.pairs * traffic.tokens / device.tokens_per_s
    load = traffic.searches_per_s * service_s
    cost = replicas * device.cost_per_hour / HOURS_S / traffic.searches_per_s * 1e6
    if load >= replicas:
        return Fleet(replicas, load / replicas, math.inf, math.inf, math.inf, 1.0, cost)
    waiting = erlang_c(replicas, load)
    mean_s = service_s / (replicas - load) * (1 + traffic.spread**2) / 2
    p50, p95, p99 = (
        device.fixed_ms + 1000 * _quantile(share, service_s, traffic.spread, waiting, mean_s) for share in (0.5, 0.95, 0.99)
    )
    late = _beyond(max(budget_ms - device.fixed_ms, 0.0) / 1000, service_s, traffic.spread, waiting, mean_s)
    return Fleet(replicas, load / replicas, p50, p95, p99, late, cost)


def smallest(traffic: Traffic, device: Device, budget_ms: float, late: float = 0.01, busy: float = 0.8) -> Fleet | None:
    """The smallest fleet in which at most a share ``late`` is not scored within the budget, and whose replicas are no busier
    than ``busy``: the rest is for peaks, and for replicas that are being exchanged. None: no fleet is quick enough.
    """
    load = traffic.searches_per_s * traffic.pairs * traffic.tokens / device.tokens_per_s
    low = max(math.ceil(load / busy), 1)
    high = low
    while fleet(traffic, device, high, budget_ms).late > late:
        if high > max(_MOST, 2 * load):
            return None
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if fleet(traffic, device, middle, budget_ms).late > late:
            low = middle + 1
        else:
            high = middle
    return fleet(traffic, device, low, budget_ms)


def erlang_c(servers: int, load: float) -> float:
    """The share that has to wait, of ``load`` erlangs at ``servers``; by the recurrence of Erlang's B, so that no power
    overflows.
    """
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def _beyond(time_s: float, service_s: float, spread: float, waiting: float, mean_s: float) -> float:
    """The share whose wait and service together take longer; service is log-normal, in steps of its distribution."""
    total, width = 0.0, math.sqrt(math.log1p(spread**2))
    for step in _STEPS:
        left = time_s - service_s * math.exp(width * step - width**2 / 2)
        if left < 0:
            total += 1.0
        elif mean_s > 0:
            total += waiting * math.exp(-left / mean_s)
    return total / len(_STEPS)


def _quantile(share: float, service_s: float, spread: float, waiting: float, mean_s: float) -> float:
    """The time within which that share is done, by bisection."""
    low, high = 0.0, service_s * math.exp(4 * spread) + mean_s * 20
    for _ in range(60):
        middle = (low + high) / 2
        if _beyond(middle, service_s, spread, waiting, mean_s) > 1 - share:
            low = middle
        else:
            high = middle
    return high


def _normal(share: float) -> float:
    """The quantile of the standard normal distribution, by bisection on the error function."""
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        if 0.5 * math.erfc(-middle / math.sqrt(2)) < share:
            low = middle
        else:
            high = middle
    return high


_STEPS = tuple(_normal((place + 0.5) / 200) for place in range(200))
