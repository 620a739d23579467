"""TREC runs, in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.evaluation.runs import RunFault, append, read


def test_there_and_back(tmp_path: Path) -> None:
    """In the order of the ranks, queries without hits, too."""
    path = tmp_path / "a.run"
    append(path, "a", "q1", ["d2", "d1"])
    append(path, "a", "q2", [])
    assert path.read_text() == "q1 Q0 d2 1 2 a\nq1 Q0 d1 2 1 a\n# q2 found nothing\n"
    assert read(path) == {"q1": ["d2", "d1"], "q2": []}


def test_other_peoples_runs(tmp_path: Path) -> None:
    """Scores decide, ranks do not; of equal ones the line that came first."""
    path = tmp_path / "b.run"
    path.write_text("1 Q0 x 1 0.5 b\n1 Q0 y 2 7 b\n\n1 Q0 z 3 0.5 b\n")
    assert read(path) == {"1": ["y", "x", "z"]}


@pytest.mark.parametrize("line", ["1 Q0 x", "1 Q0 x 1 high b"])
def test_faults(tmp_path: Path, line: str) -> None:
    """By file and line."""
    (tmp_path / "c.run").write_text(f"1 Q0 x 1 2 b\n{line}\n")
    with pytest.raises(RunFault, match=r"c\.run:2: expected"):
        read(tmp_path / "c.run")
