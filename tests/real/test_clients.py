"""The official Python clients, unmodified, through the proxy exactly as without it.

Each version is installed into a folder of its own under ``.engines/clients`` and run in a process of its own, on the bare
interpreter: an old client must not meet the packages of this project.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import ShufflingBackend
from tests.real.conftest import REQUIRED, Engines
from tests.real.engines import KEPT
from tests.running import POLICY, proxy
from tests.wire import ask

pytestmark = pytest.mark.engines

PAIRS = [
    ("elasticsearch==7.13.4", "elasticsearch-7"),
    ("elasticsearch==7.17.12", "elasticsearch-8"),
    ("elasticsearch==7.17.12", "elasticsearch-9"),
    ("elasticsearch==8.19.3", "elasticsearch-8"),
    ("elasticsearch==8.19.3", "elasticsearch-9"),
    ("elasticsearch==9.5.1", "elasticsearch-9"),
    ("opensearch-py==3.2.0", "opensearch-3"),
]
NEEDS = {
    "7": ["urllib3<2", "certifi"],
    "8": ["elastic-transport<9", "urllib3<3", "certifi"],
    "9": ["elastic-transport>=9", "urllib3<3"],
}


def installed(requirement: str) -> Path:
    """The folder of one client; skips where it cannot be fetched."""
    folder = KEPT / "clients" / requirement
    if not (folder / "done").exists():
        name, _, version = requirement.partition("==")
        more = NEEDS[version[0]] if name == "elasticsearch" else []
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder)]
        told = subprocess.run([*command, requirement, *more], capture_output=True, text=True, check=False)
        if told.returncode:
            if REQUIRED:
                pytest.fail(f"{requirement} is required: {told.stderr[-500:]}")
            pytest.skip(f"left out, {requirement}: it cannot be installed")
        (folder / "done").touch()
    return folder


@pytest.mark.parametrize(("requirement", "kind"), PAIRS, ids=[f"{client} on {kind}" for client, kind in PAIRS])
def test_the_client_cannot_tell(requirement: str, kind: str, engines: Engines) -> None:
    """Index, search, aggregation, scroll, PIT, bulk and msearch agree; only the order of searches differs."""
    engine = engines.get(kind)
    folder = installed(requirement)
    ask(engine.url, "DELETE", "/clients")
    mapping = {"title": {"type": "text"}, "kind": {"type": "keyword"}, "n": {"type": "integer"}}
    ask(engine.url, "PUT", "/clients", {"settings": {"number_of_replicas": 0}, "mappings": {"properties": mapping}})
    lines = "".join(
        f'{{"index":{{"_id":"{place}"}}}}\n{{"title":"{"snow " * (place % 4 + 1)}{place}","kind":"k{place % 3}","n":{place}}}\n'
        for place in range(40)
    )
    ask(engine.url, "POST", "/clients/_bulk?refresh=true", lines.encode(), {"Content-Type": "application/x-ndjson"})
    with proxy(engine.url, ShufflingBackend(), POLICY.replace("books*", "clients")) as running:
        script = Path(__file__).with_name("client_script.py")
        module = "opensearchpy" if requirement.startswith("opensearch") else "elasticsearch"
        told = subprocess.run(
            [getattr(sys, "_base_executable", sys.executable), "-s", "-P", str(script), module, engine.url, running.url],
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.returncode == 0, told.stderr[-3000:]
    found = json.loads(told.stdout.splitlines()[-1])
    assert found["different"] == {}
    assert found["reordered"]
    assert found["steps"] >= 16


def test_the_demo_on_a_real_elasticsearch(engines: Engines) -> None:
    """`make demo ENGINE=elasticsearch`: the traps are solved there too, and its index goes when it ends."""
    engine = engines.get("elasticsearch-9")
    told = subprocess.run(
        [Path(sys.executable).parent / "es-rerank", "demo", "--engine", "elasticsearch"],
        env={**os.environ, "ES_RERANK_UPSTREAM": engine.url, "LANG": "en_GB.UTF-8", "LC_ALL": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    winners = [line.partition(": ")[2] for line in told.stdout.splitlines() if line.startswith("★ best match")]
    assert winners == ["成年猫的乳糖不耐受", "重排序的作用", "Over-extraction"]
    assert ask(engine.url, "HEAD", "/es-rerank-demo").status == 404
