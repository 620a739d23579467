"""What was recorded, from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from es_rerank.app.recorded import experiment_of, joined
from es_rerank.config.settings import Settings
from es_rerank.errors import ConfigError
from tests.config.test_experiments import GOOD, HEAD
from tests.evaluation.test_records import event, record


def settings(folder: Path) -> Settings:
    records = folder / "records.jsonl"
    (folder / "a.yaml").write_text(HEAD + GOOD.replace("{index: ubi_queries}", f"{{file: {records}}}"))
    told = [record(f"q{minute}", minute=minute) for minute in (0, 30)]
    for one in told:
        one["query_attributes"]["experiment"] = "books-1"
    records.write_text("\n\n".join(map(json.dumps, told)) + "\n")
    (folder / "events.jsonl").write_text(json.dumps(event(query_id="q30")) + "\n")
    return Settings(config=folder, events_index="", events_file=folder / "events.jsonl")


def test_files(tmp_path: Path) -> None:
    """All, or those since a time; events are joined to them."""
    found = settings(tmp_path)
    searches = joined(found, experiment_of(found, "books-1")).searches
    assert [(one.query_id, one.clicked) for one in searches] == [("q0", set()), ("q30", {0})]
    late = joined(found, experiment_of(found, "books-1"), since="2026-11-25T12:10:00.000Z").searches
    assert [one.query_id for one in late] == ["q30"]


def test_faults(tmp_path: Path) -> None:
    """Another experiment, and a file that is not there."""
    found = settings(tmp_path)
    with pytest.raises(ConfigError, match="there are: books-1"):
        experiment_of(found, "films")
    (tmp_path / "records.jsonl").unlink()
    with pytest.raises(ConfigError, match="is it the file that the proxies write"):
        joined(found, experiment_of(found, "books-1"))
    no_events = Settings(config=tmp_path, events_index="")
    (tmp_path / "records.jsonl").write_text("")
    assert joined(no_events, experiment_of(no_events, "books-1")).searches == []
