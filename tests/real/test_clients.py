"""The official clients of five languages, unmodified, through the proxy exactly as without it.

Each runs the same steps against the engine and against the proxy, in a process of its own; what it made of them has to
agree, order and scores of reranked searches aside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ShufflingBackend
from tests.real.client_kits import CLIENTS, Client
from tests.real.conftest import REQUIRED, Engines
from tests.real.engines import Engine, Missing
from tests.running import POLICY, proxy
from tests.wire import ask

pytestmark = pytest.mark.engines

MATRIX = [(client, kind) for client in CLIENTS for kind in client.engines]
SNIFFING = [(client, client.engines[-1]) for client in CLIENTS if client.sniffs]
RANKED = POLICY.replace("books*", "clients")
ORDERS = ("order", "helper_order")


def names(value: object) -> str:
    return value.name if isinstance(value, Client) else str(value)


def fill(engine: Engine) -> None:
    ask(engine.url, "DELETE", "/clients")
    mapping = {"title": {"type": "text"}, "kind": {"type": "keyword"}, "n": {"type": "integer"}}
    ask(engine.url, "PUT", "/clients", {"settings": {"number_of_replicas": 0}, "mappings": {"properties": mapping}})
    lines = "".join(
        f'{{"index":{{"_id":"{place}"}}}}\n{{"title":"{"snow " * (place % 4 + 1)}{place}","kind":"k{place % 3}","n":{place}}}\n'
        for place in range(40)
    )
    ask(engine.url, "POST", "/clients/_bulk?refresh=true", lines.encode(), {"Content-Type": "application/x-ndjson"})


def neutral(name: str, value: Any) -> Any:
    """A reranked answer without order and scores."""
    if not name.startswith("search") or not isinstance(value, dict) or "hits" not in value:
        return value
    hits = [{key: part for key, part in hit.items() if key != "_score"} for hit in value["hits"]["hits"]]
    kept = {key: part for key, part in value["hits"].items() if key != "max_score"}
    return {**value, "hits": {**kept, "hits": sorted(hits, key=lambda hit: str(hit["_id"]))}}


def steps(client: Client, url: str, *options: str) -> dict[str, Any]:
    try:
        return client.steps(url, *options)
    except Missing as exc:
        if REQUIRED:
            pytest.fail(f"{client.name} is required: {exc}")
        pytest.skip(f"left out, {client.name}: {exc}")


@pytest.mark.parametrize(("client", "kind"), MATRIX, ids=names)
def test_the_client_cannot_tell(client: Client, kind: str, engines: Engines) -> None:
    """Product check, writes, searches by body, URL and helpers, typed decoding, paging, gzip, errors: all agree."""
    engine = engines.get(kind)
    fill(engine)
    direct = steps(client, engine.url)
    with proxy(engine.url, ShufflingBackend(), RANKED) as running:
        proxied = steps(client, running.url)
    assert direct.keys() == proxied.keys()
    assert len(direct) >= 16
    for name in direct.keys() - set(ORDERS):
        assert neutral(name, proxied[name]) == neutral(name, direct[name]), name
    for name in direct.keys() & set(ORDERS):
        assert proxied[name] != direct[name]
        assert sorted(proxied[name]) == sorted(direct[name])
    assert proxied["pages"] is True


@pytest.mark.parametrize(("client", "kind"), SNIFFING, ids=names)
def test_a_client_that_sniffs_stays(client: Client, kind: str, engines: Engines) -> None:
    """Told the proxy's address for every node, it goes there with everything."""
    engine = engines.get(kind)
    fill(engine)
    direct = steps(client, engine.url)
    with proxy(engine.url, ShufflingBackend(), RANKED, advertise=True) as running:
        staying = steps(client, running.url, "sniff")
        seen = running.application.metrics.exposition().decode()
    assert 'es_rerank_searches_total{outcome="reranked"' in seen
    assert staying["order"] != direct["order"]
    assert {name: neutral(name, value) for name, value in staying.items() if name not in ORDERS} == {
        name: neutral(name, value) for name, value in direct.items() if name not in ORDERS
    }


def curl(*arguments: str) -> tuple[int, str, bytes]:
    """Status, header lines, body."""
    program = shutil.which("curl")
    if program is None:
        if REQUIRED:
            pytest.fail("curl is required")
        pytest.skip("left out, curl: it is not on the path")
    told = subprocess.run([program, "-s", "-S", "-i", "--max-time", "60", *arguments], capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
    head, _, body = told.stdout.rpartition(b"\r\n\r\n")
    last = head.split(b"\r\n\r\n")[-1].decode("latin-1")
    return int(last.split(" ", 2)[1]), last.lower(), body


CURLED = {
    "expect": ["-X", "POST", "-H", "Expect: 100-continue", "-H", "Content-Type: application/json", "-d", "@BODY"],
    "chunked": ["-X", "POST", "-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/json", "-d", "@BODY"],
    "http 1.0": ["--http1.0", "-X", "POST", "-H", "Content-Type: application/json", "-d", "@BODY"],
    "get with a body": ["-X", "GET", "-H", "Content-Type: application/json", "-d", "@BODY"],
}


@pytest.mark.parametrize("case", CURLED)
def test_curl(case: str, server: Engine, tmp_path: Path) -> None:
    """Ways to send that no client library chooses: the answer is the engine's, reranked."""
    fill(server)
    body = tmp_path / "body.json"
    body.write_text('{"query":{"match":{"title":"snow"}},"size":40' + " " * 5000 + "}")
    arguments = [part.replace("BODY", str(body)) for part in CURLED[case]]
    with proxy(server.url, ShufflingBackend(), RANKED) as running:
        direct, proxied = (curl(*arguments, f"{url}/clients/_search") for url in (server.url, running.url))
    assert proxied[0] == direct[0] == 200
    assert "x-rerank: reranked;window=40;scored=40" in proxied[1]
    found = [json.loads(answer[2]) | {"took": 0} for answer in (direct, proxied)]
    assert neutral("search", found[0]) == neutral("search", found[1])
    assert found[0] != found[1]


@pytest.mark.parametrize("target", ["/", "/clients", "/nope", "/clients/_doc/1"])
def test_curl_head(target: str, server: Engine) -> None:
    """Status and lines of a HEAD are the engine's."""
    fill(server)
    with proxy(server.url, ShufflingBackend(), RANKED) as running:
        direct, proxied = (curl("-I", f"{url}{target}") for url in (server.url, running.url))
    kept = [
        sorted(line for line in lines.split("\r\n")[1:] if not line.startswith(("date", "connection", "transfer-encoding")))
        for _, lines, _ in (direct, proxied)
    ]
    assert (proxied[0], kept[1]) == (direct[0], kept[0])


def test_a_client_that_leaves(engines: Engines) -> None:
    """Told the nodes' own addresses, it goes past the proxy: why the option is there."""
    engine = engines.get("elasticsearch-9")
    fill(engine)
    client = next(client for client in CLIENTS if client.name.startswith("javascript 9"))
    direct = steps(client, engine.url)
    with proxy(engine.url, ShufflingBackend(), RANKED) as running:
        assert steps(client, running.url, "sniff")["order"] == direct["order"]


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
