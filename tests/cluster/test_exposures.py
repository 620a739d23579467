"""Records on their way: in bulk, never waited for, never twice, and counted where they are lost."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from es_rerank.cluster.exposures import Documents, ExposureSink, query_id_of
from es_rerank.errors import UpstreamUnreachable


def document(number: int) -> tuple[str, bytes]:
    return f"q{number}", json.dumps({"query_id": f"q{number}"}).encode()


class Index:
    """Keeps what is written; away, slow or choosy as it is told."""

    def __init__(self) -> None:
        self.away = False
        self.status: Callable[[str], int] = lambda identity: 201
        self.held: dict[str, bytes] = {}
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()

    def write(self, documents: Documents) -> list[tuple[int, str]]:
        self.gate.wait(20)
        self.calls += 1
        if self.away:
            raise UpstreamUnreachable("gone")
        found = []
        for identity, text in documents:
            status = 409 if identity in self.held else self.status(identity)
            if status == 201:
                self.held[identity] = text
            found.append((status, "because"))
        return found


@contextmanager
def sinking(index: Index | None, file: Path | None = None, most: int = 1000) -> Iterator[tuple[ExposureSink, Counter[str]]]:
    told: Counter[str] = Counter()
    sink = ExposureSink(
        index.write if index else None,
        file,
        lambda name, count: told.update({name: count}),
        query_id_of,
        most=most,
        every_s=0.01,
    )
    try:
        yield sink, told
    finally:
        if index:
            index.gate.set()
        sink.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_to_an_index() -> None:
    """Everything arrives, in far fewer calls; what is there already counts as written."""
    index = Index()
    with sinking(index, most=5000) as (sink, told):
        index.gate.clear()
        for number in range(1200):
            sink.put(*document(number))
        sink.put(*document(0))
        index.gate.set()
        until(lambda: told["written"] == 1201)
    assert len(index.held) == 1200
    assert index.calls < 20
    assert repr(sink) == "<ExposureSink [0 waiting]>"


def test_to_a_file(tmp_path: Path) -> None:
    """Without an index it is the place itself; closing writes what waits."""
    file = tmp_path / "exposures.jsonl"
    with sinking(None, file) as (sink, told):
        for number in range(3):
            sink.put(*document(number))
    assert [query_id_of(line) for line in file.read_bytes().splitlines()] == ["q0", "q1", "q2"]
    assert told == {"written": 3}
    sink.put(*document(4))
    assert told["dropped"] == 1


def test_a_full_buffer_drops_and_counts() -> None:
    """The newest; nobody waits."""
    index = Index()
    index.gate.clear()
    with sinking(index, most=10) as (sink, told):
        for number in range(600):
            sink.put(*document(number))
        assert told["dropped"] >= 80
        index.gate.set()
        until(lambda: told["written"] + told["dropped"] == 600)


def test_an_index_that_is_away_for_a_while() -> None:
    """Without a file the buffer holds what came; in the order in which it came."""
    index = Index()
    index.away = True
    with sinking(index) as (sink, told):
        for number in range(3):
            sink.put(*document(number))
        until(lambda: index.calls > 0)
        index.away = False
        sink._away_until = 0.0
        until(lambda: told["written"] == 3)
    assert list(index.held) == ["q0", "q1", "q2"]


def test_what_cannot_be_written_at_the_end_is_counted() -> None:
    """It is lost, and said to be."""
    index = Index()
    index.away = True
    with sinking(index) as (sink, told):
        sink.put(*document(1))
    assert told == {"dropped": 1}


def test_the_file_takes_over_and_is_replayed(tmp_path: Path) -> None:
    """Also what another process left, and what was being replayed when one ended."""
    file = tmp_path / "spool.jsonl"
    (tmp_path / "spool.jsonl.replaying").write_bytes(document(100)[1] + b"\n")
    index = Index()
    index.away = True
    with sinking(index, file) as (sink, told):
        for number in range(3):
            sink.put(*document(number))
        until(lambda: told["spooled"] == 3)
        index.away = False
        sink._away_until = 0.0
        until(lambda: "q100" in index.held)
        until(lambda: len(index.held) == 4)
        assert list(tmp_path.iterdir()) == []
    assert set(index.held) == {"q0", "q1", "q2", "q100"}


def test_what_is_refused_and_what_comes_too_early(tmp_path: Path) -> None:
    """A mapping that does not fit is counted and told; an overloaded node gets it again."""
    index = Index()
    answers = {"q1": [400], "q2": [429, 429, 201]}
    index.status = lambda identity: (answers.get(identity) or [201]).pop(0)
    with sinking(index) as (sink, told):
        for number in range(3):
            sink.put(*document(number))
        until(lambda: told["written"] == 2)
    assert told == {"written": 2, "refused": 1}
    assert set(index.held) == {"q0", "q2"}


def test_a_replay_that_is_not_taken_whole(tmp_path: Path) -> None:
    """What an overloaded node does not take goes back into the file."""
    file = tmp_path / "spool.jsonl"
    file.write_bytes(b"".join(document(number)[1] + b"\n" for number in range(3)))
    index = Index()
    answers = {"q2": [503, 201]}
    index.status = lambda identity: (answers.get(identity) or [201]).pop(0)
    with sinking(index, file) as (_, told):
        until(lambda: len(index.held) == 3)
        until(lambda: not file.exists())
    assert told["spooled"] == 1


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Counted; the next ones are tried again."""
    folder = tmp_path / "missing"
    with sinking(None, folder / "f.jsonl") as (sink, told):
        sink.put(*document(1))
        until(lambda: told["dropped"] == 1)
        folder.mkdir()
        sink.put(*document(2))
        until(lambda: told["written"] == 1)
