"""``es-rerank sweep`` and, over the same collection, ``calibrate``."""

from __future__ import annotations

from pathlib import Path

import pytest

from es_rerank.config.loader import load
from tests.cli.conftest import Run
from tests.cli.test_evaluate import collection, policies  # noqa: F401  a fixture
from tests.real.engines import Engine

QUERY = '{"query": {"multi_match": {"query": "{{query}}", "fields": ["title", "text"]}}}'


@pytest.fixture
def words(run: Run, library: Engine, collection: Path) -> list[str | Path]:  # noqa: F811
    """The collection, loaded, and how to ask for it."""
    assert run("load", collection, "words", "--upstream", library.url).returncode == 0
    return [collection, "words", "--upstream", library.url, "--scorer", "fake", "--query", QUERY]


def test_sweep(run: Run, words: list[str | Path], tmp_path: Path) -> None:
    """A table, a picture, and the chosen policy in a file that loads."""
    (folder,) = policies(tmp_path, title="timeout_ms: 77\n")
    (tmp_path / "new").mkdir()
    new, svg = tmp_path / "new/p.yaml", tmp_path / "sweep.svg"
    command = [
        "sweep",
        *words,
        "--config",
        folder,
        "--window",
        "2",
        "--window",
        "30",
        "--fusion",
        "replace",
        "--fusion",
        "rrf:20",
    ]
    told = run(*command, "--fields", "title", "--write", new, "--svg", svg, "--runs", tmp_path / "runs")
    assert told.returncode == 0, told.stderr
    assert all(f"window 2 · {fusion} · title" in told.stdout for fusion in ("replace", "rrf:20"))
    assert "★ " in told.stdout
    (policy,) = load(tmp_path / "new")
    assert (policy.timeout_ms, policy.passage.fields, policy.rank_window_size in {2, 30}) == (77, ("title",), True)
    assert svg.read_text().startswith("<svg")
    odd = run("sweep", *words, "--config", folder, "--fusion", "mean")
    assert (odd.returncode, "--fusion mean" in odd.stderr) == (2, True)


def test_calibrate(run: Run, words: list[str | Path], tmp_path: Path) -> None:
    """A threshold with what it is worth, or a refusal; an index without a policy is told."""
    (folder,) = policies(tmp_path, title="rank_window_size: 60\n")
    told = run("calibrate", *words, "--config", folder, "--relevant", "1")
    assert "judged hits of 4 queries" in told.stdout, told.stderr
    assert "area under the curve" in told.stdout
    assert ("\nmin_score: " in told.stdout) is (told.returncode == 0)
    assert ("no min_score: " in told.stdout) is (told.returncode == 1)
    odd = run("calibrate", words[0], "elsewhere", *words[2:], "--config", folder)
    assert (odd.returncode, "no policy names this index" in odd.stderr) == (2, True)
