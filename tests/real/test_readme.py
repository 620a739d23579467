"""Every example of both READMEs, run: commands, client code and curl, on a real engine behind a running proxy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from es_rerank.scoring.fake import FakeBackend
from tests.real.engines import Engine, free_port
from tests.real.library import fill
from tests.real.test_secured import Secured, secured
from tests.running import proxy

pytestmark = pytest.mark.engines

__all__ = ["secured"]
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = ["README.md", "README.zh-CN.md"]


def blocks(page: str, language: str) -> list[str]:
    text = re.sub(r"^   ", "", (ROOT / page).read_text(), flags=re.MULTILINE)
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(line: str, folder: Path, environment: dict[str, str]) -> None:
    """One command; ``serve`` is started, seen ready, and ended. A machine that is busy may be too slow for a window."""
    if "es-rerank serve" not in line:
        told = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False)
        problems = [said for said in told.stdout.splitlines() if said.startswith("✘")]
        slow = "es-rerank doctor" in line and problems and all("timeout_ms is" in said for said in problems)
        assert told.returncode == 0 or slow, (line, told.stdout[-2000:], told.stderr[-2000:])
        return
    command = f"exec {line} --listen 127.0.0.1:{free_port()} --api 127.0.0.1:{free_port()}"
    with subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        end = time.monotonic() + 60
        for heard in process.stderr:
            if b'"event": "ready"' in heard or time.monotonic() > end:
                break
        process.terminate()
        process.stderr.read()
        assert process.wait(20) == 0


@pytest.mark.parametrize("page", PAGES)
def test_commands(page: str, nine: Engine, secured: Secured, tmp_path: Path) -> None:
    """In their order, in an empty folder; make's targets are looked up, since this test is one of them."""
    fill(nine)
    (tmp_path / "http_ca.crt").write_text(secured.ca.read_text())
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "140"}
    with proxy(nine.url, FakeBackend()) as running:
        real = {
            "http://127.0.0.1:9200": nine.url,
            "https://127.0.0.1:9243": secured.url,
            "http://127.0.0.1:9201": running.url,
            "http://127.0.0.1:9202": running.api,
        }
        for line in "".join(blocks(page, "bash")).splitlines():
            if line.startswith("make "):
                subprocess.run(["make", "-n", *line.split()[1:]], cwd=ROOT, check=True, capture_output=True)
            elif line.startswith("export ES_RERANK_OWN_API_KEY="):
                environment |= {"ES_RERANK_OWN_USER": "elastic", "ES_RERANK_OWN_PASSWORD": "secret"}  # nginx has no API keys
            else:
                run(re.sub("|".join(real), lambda match: real[match[0]], line), tmp_path, environment)
    assert (tmp_path / "plugin_config/books.yaml").exists()


@pytest.mark.parametrize("page", PAGES)
def test_client_code(page: str, nine: Engine) -> None:
    """The official client, reranked."""
    fill(nine)
    found = blocks(page, "python")
    assert found
    with proxy(nine.url, FakeBackend()) as running:
        for block in found:
            code = block.replace("http://127.0.0.1:9201", running.url)
            told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stderr
            assert told.stdout.startswith("reranked;window=")
