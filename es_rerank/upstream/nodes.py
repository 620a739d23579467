"""The nodes of one cluster: whose turn it is, and who rests because it could not be reached.

Turns go round; a node that failed rests, each time longer, until it answers a probe or a request. Nobody rests for good:
where all do, all are tried. Does not connect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from yarl import URL

_FIRST_REST_S = 1.0
_LONGEST_REST_S = 30.0


class Node:
    """One address, ``http(s)://host:port``."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.address = address
        self._scheme, self._host, self._port = parts.scheme, parts.hostname or "", parts.port
        self.failures = 0
        self.rests_until = 0.0

    def __repr__(self) -> str:
        return self.address

    def url(self, target: str) -> URL:
        """Carry a whole target as an already encoded path, so that its bytes go on the wire as they are."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return URL.build(scheme=self._scheme, host=host, port=self._port, path=target, encoded=True)


class Nodes:
    """All of them. ``clock`` is monotonic."""

    def __init__(self, addresses: Sequence[str], clock: Callable[[], float]) -> None:
        self.all = [Node(address) for address in addresses]
        self._clock = clock
        self._turn = -1

    def __repr__(self) -> str:
        return ", ".join(map(repr, self.all))

    def in_turn(self) -> list[Node]:
        """Whom to try, one after another: who is well, the next in turn first, then who rests, by the ends of the rests."""
        if len(self.all) == 1:
            return self.all
        self._turn = (self._turn + 1) % len(self.all)
        turned = [*self.all[self._turn :], *self.all[: self._turn]]
        now = self._clock()
        well = [node for node in turned if node.rests_until <= now]
        return well + sorted((node for node in turned if node.rests_until > now), key=lambda node: node.rests_until)

    def failed(self, node: Node) -> bool:
        """Let a node rest; whether it was well before."""
        node.failures += 1
        rest_s = min(_FIRST_REST_S * 2 ** min(node.failures - 1, 10), _LONGEST_REST_S)
        node.rests_until = self._clock() + rest_s
        return node.failures == 1

    def answered(self, node: Node) -> bool:
        """A node is well; whether it was not before."""
        rested = node.failures > 0
        node.failures, node.rests_until = 0, 0.0
        return rested
