"""``es-rerank load``; the loading itself in test_evaluate.py."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_wrong_input(run: Run, tmp_path: Path) -> None:
    """A folder without documents, a cluster that is away: one line each."""
    told = run("load", tmp_path, "i")
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "corpus.jsonl" in told.stderr
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a"}\n')
    away = run("load", tmp_path, "i", "--upstream", "http://127.0.0.1:1")
    assert (away.returncode, "cannot reach" in away.stderr) == (2, True)
