"""``es-rerank experiment …``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.config.test_experiments import GOOD, HEAD
from tests.fakes import FaultyBackend
from tests.real.engines import Engine
from tests.running import proxy
from tests.wire import ask

POLICY = """
indices: [books]
passage: {fields: [title, text]}
experiment:
  id: clicks
  mode: MODE
  unit: {header: X-User}
  variants: {control: {weight: 50}, rerank: {weight: 50}}
  exposures: {index: ubi_clicks_MODE}
"""


def test_install(run: Run, library: Engine, tmp_path: Path) -> None:
    """The indices that policies name and the one for events, once and again; a cluster that is away is told in a line."""
    (tmp_path / "a.yaml").write_text(HEAD + GOOD)
    own = {"ES_RERANK_EVENTS_INDEX": "ubi_events_installed"}
    for words in ("made", "was there already"):
        told = run("experiment", "install", "--upstream", library.url, "--config", tmp_path, **own)
        assert told.returncode == 0, told.stderr
        lines = told.stdout.splitlines()
        assert [line.partition(":")[0] for line in lines] == ["ubi_queries", "ubi_events_installed"]
        assert all(words in line for line in lines)
    mapping = httpx.get(f"{library.url}/ubi_queries/_mapping", timeout=30).json()["ubi_queries"]["mappings"]["properties"]
    assert mapping["query_id"]["type"] == "keyword"
    away = run("experiment", "install", "--upstream", "http://127.0.0.1:1", "--config", tmp_path)
    assert (away.returncode, away.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("mode", ["split", "interleave"])
def test_from_searches_to_a_conclusion(run: Run, library: Engine, tmp_path: Path, mode: str) -> None:
    """Units search through the proxy and click, those who see the model's order more often; plan, status and report say so."""
    text = POLICY.replace("MODE", mode)
    (tmp_path / "p.yaml").write_text(text)
    where = ["--upstream", library.url, "--config", tmp_path]
    assert run("experiment", "install", *where).returncode == 0
    chance = np.random.default_rng(1)
    search = {"query": {"match": {"text": "snow"}}, "size": 5}
    events = {"events": "127.0.0.1:0", "events_per_minute": 10_000}
    with proxy(library.url, FaultyBackend(), text, **events) as running:  # type: ignore[arg-type]
        for number in range(300):
            got = ask(running.url, "POST", "/books/_search", search, {"X-User": str(number // 2)})
            treated = 'variant="rerank"' in (got.header("x-rerank") or "")
            if chance.random() < (0.9 if treated or mode == "interleave" else 0.3):
                best = got.ids[0] if mode == "split" else max(got.ids, key=int)
                about = {"object": {"object_id": best}}
                click = {"action_name": "click", "query_id": got.header("x-rerank-query-id"), "event_attributes": about}
                assert httpx.post(f"{running.events}/events", json=click, timeout=30).status_code == 200
    until_written(library.url, f"ubi_clicks_{mode}", 300)
    report, page = tmp_path / "report.json", tmp_path / "report.html"
    told = run("experiment", "report", "clicks", *where, "--json", report, "--html", page)
    assert told.returncode == 0, told.stdout + told.stderr
    found = json.loads(report.read_text())["strata"][0]
    assert (found["searches"], found["units"]) == (300, 150)
    if mode == "split":
        assert "rerank is better than control" in told.stdout
        row = found["variants"][1]["rows"][0]
        assert row["assigned"]["change"] == pytest.approx(0.6, abs=0.2)
        planned = run("experiment", "plan", "clicks", *where, "--detectable", "0.05", "--units-per-day", "1000")
        assert "units in each variant" in planned.stdout
        assert "days at 1000 new units a day" in planned.stdout
    else:
        assert found["preferences"][0]["ties"] < 150
    assert "<svg" in page.read_text()
    said = run("experiment", "status", "clicks", *where).stdout
    assert "300 searches of 150 units" in said
    assert "assignment as it should be" in said


def until_written(url: str, index: str, count: int) -> None:
    end = time.monotonic() + 30
    while True:
        httpx.post(f"{url}/{index}/_refresh", timeout=30)
        httpx.post(f"{url}/ubi_events/_refresh", timeout=30)
        if httpx.get(f"{url}/{index}/_count", timeout=30).json().get("count") == count:
            return
        assert time.monotonic() < end
        time.sleep(0.1)


def test_plan_without_records(run: Run, tmp_path: Path) -> None:
    """From a rate; and what is asked wrongly is told in a line."""
    (tmp_path / "a.yaml").write_text(HEAD + GOOD.replace("{index: ubi_queries}", "{file: /nowhere/records.jsonl}"))
    command = ["experiment", "plan", "books-1", "--config", tmp_path, "--detectable", "0.01"]
    told = run(*command, "--rate", "0.055")
    assert "8159 units in each variant, about 8159 searches" in told.stdout
    for arguments, words in (
        (command, "/nowhere/records.jsonl: cannot be read"),
        ([*command[:5], "--detectable", "0"], "--detectable"),
        (["experiment", "report", "books-2", "--config", tmp_path], "there are: books-1"),
    ):
        odd = run(*arguments)
        assert (odd.returncode, words in odd.stderr, odd.stderr.count("\n")) == (2, True, 1), odd.stderr


def test_files(run: Run, tmp_path: Path) -> None:
    """Records and events as JSON lines, nothing recorded yet among them."""
    records = tmp_path / "records.jsonl"
    records.write_text("")
    (tmp_path / "a.yaml").write_text(HEAD + GOOD.replace("{index: ubi_queries}", f"{{file: {records}}}"))
    where = {"ES_RERANK_EVENTS_INDEX": "", "ES_RERANK_EVENTS_FILE": str(records)}
    told = run("experiment", "report", "books-1", "--config", tmp_path, "--upstream", "http://127.0.0.1:1", **where)
    assert "nothing was recorded yet" in told.stdout + told.stderr
    assert told.returncode == 1
