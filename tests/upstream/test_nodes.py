"""Turns and rests."""

from __future__ import annotations

from es_rerank.upstream.nodes import Nodes


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def names(nodes: Nodes) -> str:
    return "".join(node.address[-1] for node in nodes.in_turn())


def of(count: int) -> tuple[Nodes, Clock]:
    clock = Clock()
    return Nodes([f"http://n:{number}" for number in range(1, count + 1)], clock), clock


def test_turns_go_round() -> None:
    """Each is the first once, the others follow."""
    nodes, _ = of(3)
    assert [names(nodes) for _ in range(4)] == ["123", "231", "312", "123"]
    assert repr(nodes) == "http://n:1, http://n:2, http://n:3"


def test_who_failed_rests() -> None:
    """It is tried last, and again in its turn when the rest is over."""
    nodes, clock = of(3)
    first = nodes.all[0]
    assert nodes.failed(first)
    assert [names(nodes) for _ in range(3)] == ["231", "231", "321"]
    clock.now += 1
    assert names(nodes) == "123"


def test_rests_grow_and_end() -> None:
    """Twice as long each time, at most half a minute; an answer ends them."""
    nodes, clock = of(2)
    node = nodes.all[1]
    rests = []
    for turn in range(8):
        assert nodes.failed(node) == (turn == 0)
        rests.append(node.rests_until - clock.now)
    assert rests == [1, 2, 4, 8, 16, 30, 30, 30]
    assert nodes.answered(node)
    assert not nodes.answered(node)
    assert names(nodes) == "12"
    assert nodes.failed(node)


def test_all_rest() -> None:
    """All are tried, the one whose rest ends first before the others."""
    nodes, _ = of(2)
    nodes.failed(nodes.all[0])
    nodes.failed(nodes.all[0])
    nodes.failed(nodes.all[1])
    assert [names(nodes) for _ in range(2)] == ["21", "21"]


def test_urls() -> None:
    """IPv6 in brackets; the target as it is."""
    nodes = Nodes(["http://[::1]:9200", "https://es:9243"], Clock())
    assert [str(node.url("/a%2Fb?c")) for node in nodes.all] == ["http://[::1]:9200/a%2Fb?c", "https://es:9243/a%2Fb?c"]
