"""``es-rerank calibrate``; what it finds on an engine is in test_sweep.py."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_wrong_input(run: Run, tmp_path: Path) -> None:
    """A collection that is not there: one line."""
    told = run("calibrate", tmp_path / "nowhere", "words", "--scorer", "fake")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "there is no such file or folder" in told.stderr
