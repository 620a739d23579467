"""The kept corpora, replayed: inputs that once went wrong, and the beginnings that fuzzing starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, fed

CORPUS = Path(__file__).parent / "corpus"
KEPT = [(name, path) for name in TARGETS for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize(("name", "path"), KEPT, ids=lambda part: part.name if isinstance(part, Path) else part)
def test_kept_inputs(name: str, path: Path) -> None:
    """Nothing but our own faults."""
    fed(name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(derandomize=True)
@given(data=st.binary(max_size=400))
def test_any_bytes(name: str, data: bytes) -> None:
    """The same of bytes at random."""
    fed(name, data)


def test_every_target_has_a_corpus() -> None:
    """To begin with."""
    assert {name for name, _ in KEPT} == set(TARGETS)
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
