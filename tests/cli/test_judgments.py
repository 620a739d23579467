"""``es-rerank experiment judgments``."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.conftest import Recorded, Run


def test_clicks_become_judgments(run: Run, recorded: Recorded, tmp_path: Path) -> None:
    """Under both models; ``evaluate`` reads what is written."""
    graded = tmp_path / "clicks.csv"
    for model in ("coec", "pbm"):
        told = run(
            "experiment",
            "judgments",
            "recorded",
            graded,
            "--model",
            model,
            "--least",
            "1",
            *recorded.where,
            **recorded.environment,
        )
        assert told.returncode == 0, told.stderr
        assert "judgments of 1 queries" in told.stdout
        rows = list(csv.DictReader(graded.read_text().splitlines()))
        assert sum(int(row["clicks"]) for row in rows) == 24
        assert max(rows, key=lambda row: float(row["attraction"]))["relevance"] == "3"
    asking = [*recorded.where, "--scorer", "fake"]
    assert "nDCG@10" in run("evaluate", graded, "books", *asking, **recorded.environment).stdout


def test_faults(run: Run, recorded: Recorded, tmp_path: Path) -> None:
    """A line each, with what to do."""
    graded = tmp_path / "clicks.csv"
    command = ["experiment", "judgments", "recorded", graded, *recorded.where]
    policy = recorded.folder / "p.yaml"
    for arguments, words in (
        (["experiment", "judgments", "recorded", tmp_path / "clicks.txt", *recorded.where], "is no .csv"),
        ([*command, "--least", "99"], "lower --least"),
        ([*command, "--since", "2099-01-01"], "was clicked"),
        ([*command, "--since", "lately"], "write 7d"),
    ):
        told = run(*arguments, **recorded.environment)
        assert (told.returncode, words in told.stderr) == (2, True), told.stderr
    policy.write_text(policy.read_text().replace("exposures: {", "exposures: {query_text: drop, "))
    assert "is not recorded" in run(*command, **recorded.environment).stderr
    assert not graded.exists()
