"""``es-rerank experiment …``."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.cli.conftest import Run
from tests.config.test_experiments import GOOD, HEAD
from tests.real.engines import Engine


def test_install(run: Run, library: Engine, tmp_path: Path) -> None:
    """The indices that policies name and the one for events, once and again; a cluster that is away is told in a line."""
    (tmp_path / "a.yaml").write_text(HEAD + GOOD)
    for words in ("made", "was there already"):
        told = run("experiment", "install", "--upstream", library.url, "--config", tmp_path)
        assert told.returncode == 0, told.stderr
        lines = told.stdout.splitlines()
        assert [line.partition(":")[0] for line in lines] == ["ubi_queries", "ubi_events"]
        assert all(words in line for line in lines)
    mapping = httpx.get(f"{library.url}/ubi_queries/_mapping", timeout=30).json()["ubi_queries"]["mappings"]["properties"]
    assert mapping["query_id"]["type"] == "keyword"
    away = run("experiment", "install", "--upstream", "http://127.0.0.1:1", "--config", tmp_path)
    assert (away.returncode, away.stderr.count("\n")) == (2, 1)
