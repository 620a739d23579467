"""``es-rerank check-config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.config.test_experiments import GOOD, HEAD

ROOT = Path(__file__).parents[2]


def test_shipped_folder(run: Run) -> None:
    """Every file in ``plugin_config`` loads."""
    told = run("check-config", ROOT / "plugin_config")
    assert told.returncode == 0
    assert "1 policy files, all good" in told.stdout
    assert "es-rerank-demo: es-rerank-demo · window 30, reads title, text" in told.stdout


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a,elsewhere", "reranked by a\n  no policy for elsewhere"),
        ("a,b", "policies-differ"),
        ("nothing", "no-policy"),
        ("*,-b", "reranked by a"),
    ],
)
def test_explain(run: Run, tmp_path: Path, expression: str, words: str) -> None:
    """Which policy an expression gets, or why none."""
    (tmp_path / "a.yaml").write_text("indices: [a]\npassage: {fields: [t]}\n")
    (tmp_path / "b.yaml").write_text("indices: [b]\npassage: {fields: [t]}\nrank_window_size: 7\nenabled: false\n")
    told = run("check-config", tmp_path, "--explain", expression)
    assert told.returncode == 0
    assert words in told.stdout
    assert "not enabled" in told.stdout


def test_experiments(run: Run, tmp_path: Path) -> None:
    """Their mode and shares."""
    (tmp_path / "a.yaml").write_text(HEAD + GOOD)
    assert "    experiment books-1: split, control 50, narrow 20, rerank 30\n" in run("check-config", tmp_path).stdout


def test_faults_are_one_line(run: Run, tmp_path: Path) -> None:
    """File, line, key, remedy; exit status 2; no traceback."""
    (tmp_path / "a.yaml").write_text("indices: [a]\npassage:\n  fieldz: [t]\n")
    told = run("check-config", tmp_path)
    assert told.returncode == 2
    assert told.stderr == f"es-rerank: {tmp_path}/a.yaml:3: passage.fieldz: there is no such key (did you mean `fields`?)\n"
