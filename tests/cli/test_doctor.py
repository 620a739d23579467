"""``es-rerank doctor`` on an embedded engine."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.real.engines import Engine


def test_a_healthy_set_up(run: Run, library: Engine, tmp_path: Path) -> None:
    """Upstream, model, policy; exit status 0."""
    (tmp_path / "a.yaml").write_text("indices: [books]\nrank_window_size: 20\npassage: {fields: [title, text]}\n")
    told = run("doctor", "--upstream", library.url, "--config", tmp_path, "--scorer", "embedded")
    assert told.returncode == 0, told.stdout + told.stderr
    for words in ("elasticsearch 8.15.3", "pairs a second", "books has title, text", "have text", "ms for 10 hits"):
        assert words in told.stdout


def test_problems_have_remedies(run: Run, library: Engine, tmp_path: Path) -> None:
    """A wrong field, a missing index, a broken file; exit status 1."""
    (tmp_path / "a.yaml").write_text("indices: [books]\npassage: {fields: [headline]}\n")
    (tmp_path / "b.yaml").write_text("indices: [nowhere]\npassage: {fields: [headline]}\n")
    told = run("doctor", "--upstream", library.url, "--config", tmp_path, "--scorer", "fake")
    assert told.returncode == 1
    assert "books has no field headline" in told.stdout
    assert "text fields of books:" in told.stdout
    assert "nowhere" in told.stdout
    (tmp_path / "b.yaml").write_text("indices: [")
    told = run("doctor", "--upstream", "http://127.0.0.1:1", "--config", tmp_path, "--scorer", "fake", "--no-load-model")
    assert told.returncode == 1
    assert "cannot reach Elasticsearch" in told.stdout
    assert "b.yaml:" in told.stdout


def test_a_model_that_is_not_there(run: Run, library: Engine, tmp_path: Path) -> None:
    """Named, with the ways out."""
    (tmp_path / "a.yaml").write_text("indices: [books]\npassage: {fields: [title]}\n")
    options = ("--upstream", library.url, "--config", tmp_path, "--scorer", "flagembedding", "--model", "/nowhere/bge")
    told = run("doctor", *options)
    assert told.returncode == 1
    assert "/nowhere/bge" in told.stdout
    assert "HF_ENDPOINT" in told.stdout


def test_a_remote_scorer_is_asked(run: Run, tmp_path: Path) -> None:
    """Where none answers, doctor says where it looked and what to start."""
    place = f"unix:{tmp_path / 's.sock'}"
    told = run(
        "doctor", "--upstream", "http://127.0.0.1:1", "--config", tmp_path, "--scorer", "remote", "--scorer-urls", place
    )
    assert "no scorer answers" in told.stdout
    assert "s.sock" in told.stdout
    assert "es-rerank scorer" in told.stdout
