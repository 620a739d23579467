"""``es-rerank serve`` as a process: start, search, reload, signals, faults."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.cli.conftest import Run
from tests.real.engines import Engine, free_port
from tests.wire import ask

POLICY = "indices: [books]\npassage: {fields: [title, text]}\n"


def test_a_life(library: Engine, tmp_path: Path) -> None:
    """Settings from the environment, one JSON line a search, policies reloaded under way, SIGTERM ends it with 0."""
    (tmp_path / "a.yaml").write_text(POLICY)
    proxy, api = (f"127.0.0.1:{free_port()}" for _ in range(2))
    environment = {"ES_RERANK_UPSTREAM": library.url, "ES_RERANK_CONFIG": str(tmp_path), "ES_RERANK_SCORER": "fake"}
    process = subprocess.Popen(
        [Path(sys.executable).parent / "es-rerank", "serve", "--listen", proxy, "--api", api],
        env={**os.environ, **environment, "ES_RERANK_OWN_API_KEY": "very-secret"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _until(lambda: httpx.get(f"http://{api}/readyz").status_code == 200)
        searched = ask(
            f"http://{proxy}", "GET", "/books/_search?q=snow+cats", None, {"Authorization": "ApiKey client-secret"}
        )
        assert searched.header("x-rerank") == "reranked;window=80;scored=79"
        (tmp_path / "a.yaml").write_text("nonsense: 1\n")
        _until(lambda: "no such key" in httpx.get(f"http://{api}/readyz").json()["config_fault"])
        assert ask(f"http://{proxy}", "GET", "/books/_search?q=snow").header("x-rerank") == "reranked;window=80;scored=79"
        (tmp_path / "a.yaml").write_text(POLICY + "enabled: false\n")
        _until(lambda: "disabled" in (ask(f"http://{proxy}", "GET", "/books/_search?q=snow").header("x-rerank") or ""))
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    search = next(line for line in lines if line["event"] == "search")
    assert (search["index"], search["outcome"], search["scored"]) == ("books", "reranked", 79)
    assert not re.search("secret|snow", told)


def test_faults_at_start_are_one_line(run: Run, tmp_path: Path) -> None:
    """A bad policy, a taken port, a model that is not there, a bad option."""
    (tmp_path / "a.yaml").write_text("indices: [")
    bad = run("serve", "--config", tmp_path, "--scorer", "fake")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert f"{tmp_path}/a.yaml:" in bad.stderr
    (tmp_path / "a.yaml").write_text(POLICY)
    places = ("--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
    missing = run("serve", "--config", tmp_path, "--scorer", "flagembedding", "--model", "/nowhere/bge", *places)
    assert missing.returncode == 2
    assert "es-rerank: the model /nowhere/bge cannot be loaded" in missing.stderr
    assert "Traceback" not in missing.stderr
    odd = run("serve", "--upstream", "localhost:9200")
    assert (odd.returncode, odd.stderr.count("\n")) == (2, 1)


def _until(condition: object) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if condition():  # type: ignore[operator]
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError("did not happen")
