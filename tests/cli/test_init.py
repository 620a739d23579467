"""``es-rerank init`` on an embedded engine."""

from __future__ import annotations

from pathlib import Path

from es_rerank.config.loader import load
from tests.cli.conftest import Run
from tests.real.engines import Engine


def test_a_policy_is_proposed_and_shown(run: Run, library: Engine, tmp_path: Path) -> None:
    """The file loads, the shipped ones lie beside it, three queries are compared; a second run overwrites nothing."""
    folder = tmp_path / "policies"
    options = ("init", "--upstream", library.url, "--config", folder, "--index", "books", "--scorer", "embedded")
    told = run(*options)
    assert told.returncode == 0, told.stderr
    assert [policy.name for policy in load(folder)] == ["books", "es-rerank-demo"]
    assert load(folder)[0].passage.fields == ("title", "text")
    assert told.stdout.count("X-Rerank: reranked;window=30;") == 3
    before = (folder / "books.yaml").read_text()
    again = run(*options)
    assert again.returncode == 2
    assert "nothing was written" in again.stderr
    assert (folder / "books.yaml").read_text() == before


def test_nothing_to_propose(run: Run, library: Engine, tmp_path: Path) -> None:
    """An index that is not there is said, not traced."""
    told = run("init", "--upstream", library.url, "--config", tmp_path, "--index", "nowhere", "--scorer", "fake")
    assert told.returncode == 2
    assert "404" in told.stderr
    assert "Traceback" not in told.stderr


def test_without_a_model_the_file_is_still_written(run: Run, library: Engine, tmp_path: Path) -> None:
    """The comparison is left out, and why."""
    options = ("--scorer", "flagembedding", "--model", "/nowhere/bge", "--query", "snow")
    told = run("init", "--upstream", library.url, "--config", tmp_path, "--index", "books", *options)
    assert told.returncode == 0
    assert (tmp_path / "books.yaml").exists()
    assert "no comparison" in told.stdout
