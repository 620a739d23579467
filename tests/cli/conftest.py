"""An embedded engine for the commands, and commands as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from es_rerank.scoring.fake import FakeBackend
from tests.real.engines import Engine
from tests.real.library import fill
from tests.running import proxy
from tests.wire import ask

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def library() -> Iterator[Engine]:
    """The embedded engine with the conformance library in it."""
    engine = Engine("embedded").launch().wait()
    fill(engine)
    yield engine
    engine.stop()


@pytest.fixture
def run() -> Run:
    """Run ``es-rerank`` with arguments; no standard input."""

    def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        import os

        binary = Path(sys.executable).parent / "es-rerank"
        return subprocess.run(
            [binary, *arguments],
            env={**os.environ, "COLUMNS": "140", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return command


RECORDED = """
indices: [books]
passage: {fields: [title, text]}
experiment:
  id: recorded
  unit: {header: X-User}
  segments: {device: {header: X-Device}}
  variants: {control: {weight: 1}, rerank: {weight: 1}}
  exposures: {file: FILE}
"""


class Recorded(msgspec.Struct, frozen=True):
    """An experiment of 24 searches that were clicked: options that find it, and the environment that finds its events."""

    folder: Path
    where: list[str | Path]
    environment: dict[str, str]
    records: list[dict[str, object]]


@pytest.fixture
def recorded(library: Engine, tmp_path: Path) -> Recorded:
    """Made through the proxy, in files."""
    policies, events = tmp_path / "policies", tmp_path / "events.jsonl"
    text = RECORDED.replace("FILE", str(tmp_path / "records.jsonl"))
    policies.mkdir()
    (policies / "p.yaml").write_text(text)
    settings = {"events": "127.0.0.1:0", "events_index": "", "events_file": events}
    search = {"query": {"match": {"text": "snow"}}, "size": 5}
    with proxy(library.url, FakeBackend(), text, **settings) as running:  # type: ignore[arg-type]
        for number in range(24):
            got = ask(running.url, "POST", "/books/_search", search, {"X-User": str(number), "X-Device": "Tv"})
            about = {"object": {"object_id": min(got.ids, key=int)}}
            click = {"action_name": "click", "query_id": got.header("x-rerank-query-id"), "event_attributes": about}
            assert httpx.post(f"{running.events}/events", json=click, timeout=30).status_code == 200
    records = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    environment = {"ES_RERANK_EVENTS_INDEX": "", "ES_RERANK_EVENTS_FILE": str(events)}
    return Recorded(policies, ["--upstream", library.url, "--config", policies], environment, records)
