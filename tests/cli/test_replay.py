"""``es-rerank experiment replay``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Recorded, Run


def test_the_same_policies_change_nothing(run: Run, recorded: Recorded) -> None:
    """No first page, no click."""
    asking = [*recorded.where, "--scorer", "fake", "--since", "1h"]
    told = run("experiment", "replay", "recorded", "--policy", recorded.folder, *asking, **recorded.environment)
    assert told.returncode == 0, told.stderr + told.stdout
    assert "1 queries of 24 searches: the first 10 hits change for 0.0% of the searches" in told.stdout
    assert "0.0%" in told.stdout.partition("clicks: 0 of ")[2]
    assert "before: 1 reranked" in told.stdout


def test_policies_that_lose_clicks(run: Run, recorded: Recorded, tmp_path: Path) -> None:
    """Are told by document, and fail; a bound that allows it does not, and what was asked is not asked again."""
    other, kept, runs = tmp_path / "other", tmp_path / "replay.json", tmp_path / "runs"
    other.mkdir()
    (other / "p.yaml").write_text("indices: [books]\npassage: {fields: [title, text]}\nenabled: false\n")
    asking = ["--scorer", "fake", "--cutoff", "5", "--query", '{"query": {"match": {"text": "{{query}}"}}}']
    command = ["experiment", "replay", "recorded", "--policy", other, *recorded.where, *asking]
    lost = run(*command, "--json", kept, "--runs", runs, **recorded.environment)
    found = json.loads(kept.read_text())
    assert found["clicks"] == 24 - found["unknown"]
    gone = sum(one["clicks"] for one in found["lost"])
    assert gone > 0, found
    assert (lost.returncode, "of the clicks would be lost" in lost.stdout) == (1, True)
    assert "after: 1 passed-through (disabled)" in lost.stdout
    again = run(*command, "--runs", runs, "--fail-above", "1", "--upstream", "http://127.0.0.1:1", **recorded.environment)
    assert again.returncode == 0, again.stderr
    raw = run(*command, "--against", "raw", **recorded.environment)
    assert "clicks: 0 of" in raw.stdout


def test_faults(run: Run, recorded: Recorded, tmp_path: Path) -> None:
    """A line each, with what to do."""
    command = ["experiment", "replay", "recorded", *recorded.where, "--scorer", "fake", "--policy"]
    policy = recorded.folder / "p.yaml"
    for arguments, words in (
        ([*command, tmp_path / "nowhere"], "no such folder"),
        ([*command, recorded.folder, "--against", "nobody"], "policies or raw"),
        ([*command, recorded.folder, "--since", "2099-01-01"], "nothing was recorded"),
        ([*command, recorded.folder, "--index", "films"], "there are: books (24)"),
    ):
        told = run(*arguments, **recorded.environment)
        assert (told.returncode, words in told.stderr) == (2, True), told.stderr
    policy.write_text(policy.read_text().replace("exposures: {", "exposures: {query_text: hash, "))
    assert "are not recorded (`hash`)" in run(*command, recorded.folder, **recorded.environment).stderr
