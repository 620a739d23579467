"""Several proxies and one scorer, as real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.builders import answer, hit
from tests.running import POLICY
from tests.stubs import stub, whole
from tests.wire import ask

SERVE = [sys.executable, "-m", "es_rerank", "serve", "--workers", "2"]
SNOW = {"query": {"match": {"title": "snow"}}}


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as found:
            return bool(json.load(found)["ready"])
    except OSError:
        return False


def _children(parent: int, word: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if (
                int(path.read_text().rpartition(")")[2].split()[1]) == parent
                and word in (path.parent / "cmdline").read_text()
            ):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_two_proxies_share_one_scorer(tmp_path: Path) -> None:
    """One port, one model; a killed scorer is started again, and searches are answered meanwhile; one signal ends all."""
    (tmp_path / "p.yaml").write_text(POLICY)
    body = whole("200 OK", ["Content-Type: application/json"], answer([hit("1", 3.0), hit("2", 2.0)]))
    with stub(lambda request: iter([body])) as upstream:
        command = [*SERVE, "--scorer", "fake", "--config", str(tmp_path)]
        places = ["--listen", "127.0.0.1:19301", "--api", "127.0.0.1:19302", "--upstream", upstream.url]
        with subprocess.Popen([*command, *places], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            apis = ["http://127.0.0.1:19302", "http://127.0.0.1:19303"]
            _until(lambda: all(map(_ready, apis)))
            assert len(_children(process.pid, "serve")) == 2
            (scorer,) = _children(process.pid, "scorer")

            def told() -> str:
                return str(ask("http://127.0.0.1:19301", "POST", "/books/_search", SNOW).header("x-rerank"))

            assert {told() for _ in range(8)} == {"reranked;window=2;scored=2"}
            os.kill(scorer, signal.SIGKILL)
            SNOW["query"]["match"]["title"] = "rain"
            assert told().startswith(("fell-back", "reranked"))
            _until(lambda: _children(process.pid, "scorer") not in ([], [scorer]) and told().startswith("reranked"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_a_model_that_cannot_be_loaded_ends_all(tmp_path: Path) -> None:
    """With the scorer's own message, once."""
    (tmp_path / "p.yaml").write_text(POLICY)
    command = [*SERVE, "--model", "/nowhere/x", "--config", str(tmp_path)]
    places = ["--listen", "127.0.0.1:19311", "--api", "127.0.0.1:19312", "--upstream", "http://127.0.0.1:1"]
    done = subprocess.run([*command, *places], capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2
    assert "the model /nowhere/x cannot be loaded" in done.stderr
    assert "the scorer cannot be started" in done.stderr
