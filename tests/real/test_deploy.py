"""The configurations of web servers in ``deploy/``: who gets which path, on a real nginx; Envoy's routes as far as data goes."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from es_rerank.search import route
from tests.fakes import ShufflingBackend
from tests.real.conftest import REQUIRED
from tests.real.engines import Engine, free_port
from tests.real.library import fill
from tests.running import POLICY, proxy
from tests.wire import ask

pytestmark = pytest.mark.engines

DEPLOY = Path(__file__).parents[2] / "deploy"
TARGETS = [
    "/_search", "/_search/", "/books/_search", "/books/_search//?q=a", "/a,b/_search?size=1;from=2", "/a%2Cb/_search",
    "/%3Clogs-%7Bnow%2Fd%7D%3E/_search", "/_all/_search", "//_search", "/_msearch", "/books/_msearch?typed_keys=true",
    "/_search/template", "/books/_search/template", "/_msearch/template", "/_async_search", "/books/_async_search",
    "/", "/_bulk", "/books/_bulk", "/books/_doc/1", "/books/_doc/_search", "/_search/scroll", "/_search/scroll/x",
    "/books/_count", "/books/_search_shards", "/_cat/indices?v", "/_async_search/status/x", "/_nodes/_search",
    "/_application/search_application/x/_search", "/books/_searchx", "/books/%5Fsearch", "/_render/template",
    "/books/_knn_search", "/_allx/_search",
]  # fmt: skip


def ours(target: str) -> bool:
    """What the proxy itself would take, typed paths aside."""
    found = route.parse("POST", target.encode())
    return found is not None and found.endpoint != "typed"


def pattern_of_nginx() -> re.Pattern[str]:
    found = re.search(r'"~(\^/.*\$)" es_rerank;', (DEPLOY / "nginx.conf").read_text())
    assert found is not None
    return re.compile(found[1])


def pattern_of_envoy() -> re.Pattern[str]:
    tree = yaml.safe_load((DEPLOY / "envoy.yaml").read_text())
    manager = tree["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    searches, rest = manager["route_config"]["virtual_hosts"][0]["routes"]
    clusters = {cluster["name"] for cluster in tree["static_resources"]["clusters"]}
    assert {searches["route"]["cluster"], rest["route"]["cluster"]} <= clusters
    return re.compile(searches["match"]["safe_regex"]["regex"])


@pytest.mark.parametrize("target", TARGETS)
def test_both_agree_with_the_proxy(target: str) -> None:
    """Search paths, and nothing else. Envoy matches the path without its query."""
    assert bool(pattern_of_nginx().search(target)) == ours(target)
    assert bool(pattern_of_envoy().fullmatch(target.partition("?")[0])) == ours(target)


@contextmanager
def nginx(elasticsearch: str, es_rerank: str, folder: Path) -> Iterator[str]:
    """The shipped configuration with other addresses."""
    program = shutil.which("nginx")
    if program is None:
        if REQUIRED:
            pytest.fail("nginx is required")
        pytest.skip("left out, nginx: it is not on the path")
    place = f"127.0.0.1:{free_port()}"
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in (("127.0.0.1:9200", elasticsearch), ("127.0.0.1:9201", es_rerank), ("127.0.0.1:9210", place)):
        text = text.replace(old, new.removeprefix("http://"))
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{ {temporary}", 1)
    (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n{text}")
    running = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        for _ in range(100):
            try:
                ask(f"http://{place}", "GET", "/")
                break
            except OSError:
                assert running.poll() is None, running.communicate()
                time.sleep(0.05)
        yield f"http://{place}"
    finally:
        running.terminate()
        running.communicate()


def test_nginx(nine: Engine, tmp_path: Path) -> None:
    """Searches are reranked, the rest goes straight, targets and bodies byte for byte; without es-rerank all goes on."""
    fill(nine)
    body = {"query": {"match": {"text": "snow"}}, "size": 20}
    with proxy(nine.url, ShufflingBackend(), POLICY) as running, nginx(nine.url, running.url, tmp_path) as front:
        direct, through = (ask(url, "POST", "/books/_search", body) for url in (nine.url, front))
        assert str(through.header("x-rerank")).startswith("reranked;")
        assert through.ids != direct.ids
        for target in TARGETS:
            both = [ask(url, "GET", target) for url in (nine.url, front)]
            assert both[0].status == both[1].status, target
            assert (both[1].header("x-rerank") is not None) == (ours(target) and "_async" not in target), target
            assert both[1].header("x-elastic-product") == both[0].header("x-elastic-product")
        lines = b'{"index":{"_index":"deployed","_id":"1"}}\n{"a":1}\n' * 20_000
        filled = ask(front, "POST", "/_bulk", lines, {"Content-Type": "application/x-ndjson"})
        assert (filled.status, filled.header("x-rerank")) == (200, None)
        ask(front, "DELETE", "/deployed")
    with nginx(nine.url, f"127.0.0.1:{free_port()}", tmp_path) as front:
        alone = ask(front, "POST", "/books/_search", body)
        assert (alone.status, alone.header("x-rerank"), alone.ids) == (200, None, direct.ids)
