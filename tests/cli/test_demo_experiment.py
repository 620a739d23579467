"""``es-rerank demo-experiment``: from the first search to the right conclusion."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_the_right_conclusion(run: Run, tmp_path: Path) -> None:
    """The model's order puts the best document where people look, and the report says so."""
    told = run("demo-experiment", "--searches", "300", "--html", tmp_path / "report.html")
    assert told.returncode == 0, told.stderr
    assert "rerank is better than control" in told.stdout
    assert "this holds whenever you look" in told.stdout
    assert "300 searches of 150 units" in told.stdout
    assert "<svg" in (tmp_path / "report.html").read_text()


def test_wrong_input(run: Run) -> None:
    """One line."""
    told = run("demo-experiment", "--engine", "lucene")
    assert (told.returncode, "there is no engine 'lucene'" in told.stderr) == (2, True)
