"""The state that instances share: one value, changed by one at a time; on engines in tests/real/test_experiments.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from es_rerank.cluster.client import Cluster, Refused
from es_rerank.cluster.state import FileState, IndexState, StateConflict
from es_rerank.experiment.state import Change, State
from tests.stubs import stub, whole

STATE = State(1, {"e": Change(stopped=True, weights={"control": 1.0})})


def test_a_file(tmp_path: Path) -> None:
    """Nothing is the first state; a version that is not the next one meets somebody else's change."""
    one, other = FileState(tmp_path / "s.json"), FileState(tmp_path / "s.json")
    assert one.load() == State()
    assert one.instances() == {}
    one.save(STATE)
    assert other.load() == STATE
    with pytest.raises(StateConflict, match="look again"):
        other.save(STATE)
    other.save(STATE.with_change("e", Change(stopped=False)))
    assert one.load().version == 2


def test_instances_of_a_file(tmp_path: Path) -> None:
    """Each says which version it has; who was not heard of for long is gone."""
    path = tmp_path / "s.json"
    state = FileState(path)
    state.save(STATE)
    long_ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    told = json.loads(path.read_bytes())
    path.write_text(json.dumps(told | {"instances": {"old": {"version": 1, "at": long_ago}}}))
    state.seen("a", 1)
    state.seen("b", 0)
    assert state.instances() == {"a": 1, "b": 0}
    assert state.load() == STATE


def test_a_file_of_something_else(tmp_path: Path) -> None:
    """Told, not overwritten."""
    path = tmp_path / "s.json"
    path.write_text("notes")
    with pytest.raises(ValueError, match="JSON"):
        FileState(path).load()


def answering(*answers: tuple[str, str]) -> Callable[[bytes], Iterator[bytes]]:
    left = list(answers)

    def answer(request: bytes) -> Iterator[bytes]:
        status, body = left.pop(0)
        yield whole(status, ["Content-Type: application/json"], body.encode())

    return answer


MISSING = ("404 Not Found", '{"error":{"reason":"no such index"},"status":404}')
EXISTS = ("400 Bad Request", '{"error":{"reason":"index already exists"},"status":400}')
CONFLICT = ("409 Conflict", '{"error":{"reason":"version conflict"},"status":409}')
DENIED = ("403 Forbidden", '{"error":{"reason":"not you"},"status":403}')


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        ((MISSING, EXISTS, CONFLICT), StateConflict),
        ((MISSING, DENIED), Refused),
        ((MISSING, ("200 OK", "{}"), DENIED), Refused),
        ((DENIED,), Refused),
        ((("200 OK", '{"_seq_no":1,"_primary_term":1,"_source":{"state":{"version":7,"experiments":{}}}}'),), StateConflict),
    ],
)
def test_an_index_that_refuses(answers: tuple[tuple[str, str], ...], fault: type[Exception]) -> None:
    """Somebody else's change is told apart from a missing right."""
    with stub(answering(*answers)) as upstream:
        with pytest.raises(fault):
            IndexState(Cluster([upstream.url], ())).save(STATE)


def test_where_the_index_is_missing() -> None:
    """The first state."""
    with stub(answering(MISSING)) as upstream:
        assert IndexState(Cluster([upstream.url], ())).load() == State()
