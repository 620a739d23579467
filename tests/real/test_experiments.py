"""Experiments through a whole proxy on real engines: who gets what, what is recorded, and what the engine is spared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes import FaultyBackend
from tests.real.conftest import Engines
from tests.real.engines import Engine
from tests.real.library import fill
from tests.running import POLICY, proxy
from tests.wire import Answer, ask

SNOW: dict[str, Any] = {"query": {"multi_match": {"query": "snow", "fields": ["title", "text"]}}}
EXPERIMENT = """
experiment:
  id: {id}
  unit: [{{header: X-User}}, {{cookie: session}}]
  mode: {mode}
  variants:
    control: {{weight: 50}}
    rerank: {{weight: 50}}
    narrow: {{weight: {narrow}, rank_window_size: 5}}
  exposures: {{index: {index}}}
  sample: 1
"""


@pytest.fixture(scope="module")
def books(server: Engine) -> Engine:
    fill(server)
    return server


def policy(index: str, mode: str = "split", narrow: int = 0, **more: str) -> str:
    control = "client_control: [mode, query, window, timeout, variant]\n"
    return POLICY + control + EXPERIMENT.format(id=index.replace("_", "-"), mode=mode, index=index, narrow=narrow)


def told(answer: Answer) -> str:
    return answer.header("x-rerank") or ""


def records(engine: Engine, index: str, count: int) -> dict[str, dict[str, Any]]:
    """What was written, by query id; waits until it is all there."""
    end = time.monotonic() + 30
    while True:
        httpx.post(f"{engine.url}/{index}/_refresh", timeout=30)
        found = httpx.post(f"{engine.url}/{index}/_search", json={"size": 1000}, timeout=30).json()
        hits = found.get("hits", {}).get("hits", [])
        if len(hits) >= count or time.monotonic() > end:
            assert len(hits) == count, [hit["_source"] for hit in hits]
            return {hit["_id"]: hit["_source"] for hit in hits}
        time.sleep(0.1)


def forget(engine: Engine, *indices: str) -> None:
    for index in indices:
        httpx.delete(f"{engine.url}/{index}", timeout=60)


def test_split(books: Engine) -> None:
    """Each unit keeps its variant on every page; control costs and answers what Elasticsearch does; all is recorded."""
    index = "ubi_split"
    forget(books, index)
    search = {**SNOW, "size": 4}
    with proxy(books.url, FaultyBackend(), policy(index)) as running:
        direct = ask(books.url, "POST", "/books/_search", search)
        seen: dict[str, str] = {}
        ids: list[str] = []
        for unit in map(str, range(12)):
            first = ask(running.url, "POST", "/books/_search", search, {"X-User": unit})
            later = ask(running.url, "POST", "/books/_search", {**search, "from": 4}, {"X-User": unit})
            assert told(first).rpartition("variant=")[2] == told(later).rpartition("variant=")[2]
            assert not set(first.ids) & set(later.ids)
            seen[unit] = told(first)
            ids += [first.header("x-rerank-query-id") or "", later.header("x-rerank-query-id") or ""]
            if "control" in told(first):
                assert told(first) == 'passed-through;reason=control;variant="control"'
                assert first.ids == direct.ids
                assert json.loads(first.body)["hits"] == json.loads(direct.body)["hits"]
            else:
                assert told(first).startswith("reranked;")
                assert told(first).endswith('variant="rerank"')
                assert first.ids != direct.ids
        assert set(Counter(seen.values())) == set(seen.values())
        assert len(set(seen.values())) == 2
        by_cookie = ask(running.url, "POST", "/books/_search", search, {"Cookie": "a=b; session=3"})
        assert told(by_cookie) == seen["3"]
        nobody = ask(running.url, "POST", "/books/_search", search)
        assert (told(nobody), nobody.ids, nobody.header("x-rerank-query-id")) == (
            "passed-through;reason=no-unit",
            direct.ids,
            None,
        )
        for name in ("control", "rerank", "narrow"):
            forced = ask(running.url, "POST", "/books/_search", search, {"X-Rerank-Variant": name})
            assert f'variant="{name}"' in told(forced)
        odd = ask(running.url, "POST", "/books/_search", search, {"X-Rerank-Variant": "nope", "X-User": "1"})
        assert told(odd) == "passed-through;reason=bad-control"
        found = records(books, index, len(ids) + 1)
    assert set(ids) < set(found)
    for place, identity in enumerate(ids):
        one, unit = found[identity], str(place // 2)
        told_of = one["query_attributes"]
        variant = "control" if "control" in seen[unit] else "rerank"
        assert (told_of["variant"], told_of["served"], told_of["status"]) == (variant, variant, 200)
        assert (told_of["from"], told_of["size"], told_of["experiment"]) == (4 * (place % 2), 4, "ubi-split")
        assert one["user_query"] == "snow"
        assert one["client_id"] not in {unit, ""}
        assert len(one["query_response_hit_ids"]) == 4
        ranks = told_of["ranks"]
        assert ranks[variant] == [told_of["from"] + step for step in range(1, 5)]
        if variant == "rerank":
            assert ranks["control"] != ranks["rerank"]
            assert -1 <= told_of["difference"]["tau"] < 1
    assert len({one["client_id"] for one in found.values()}) == 12
    assert len({one["query_attributes"]["stratum"] for one in found.values()}) == 1


def test_interleave(books: Engine) -> None:
    """One list of every team's hits; its pages neither repeat nor skip; totals and aggregations stay; teams are recorded."""
    index = "ubi_interleave"
    forget(books, index)
    search = {**SNOW, "size": 5, "aggs": {"years": {"terms": {"field": "kind"}}}, "highlight": {"fields": {"title": {}}}}
    with proxy(books.url, FaultyBackend(), policy(index, "interleave", narrow=50)) as running:
        direct = ask(books.url, "POST", "/books/_search", {**search, "size": 30})
        whole = ask(running.url, "POST", "/books/_search", {**search, "size": 30}, {"X-User": "1"})
        assert 'variant="control+narrow+rerank"' in told(whole)
        assert sorted(whole.ids) == sorted(direct.ids)
        pages = [
            ask(running.url, "POST", "/books/_search", {**search, "from": start}, {"X-User": "1"})
            for start in range(0, 30, 5)
        ]
        assert [identity for one in pages for identity in one.ids] == whole.ids
        scores = [hit["_score"] for hit in json.loads(whole.body)["hits"]["hits"]]
        assert scores == sorted(scores, reverse=True)
        for name in ("aggregations", "_shards"):
            assert json.loads(whole.body).get(name) == json.loads(direct.body).get(name)
        assert json.loads(whole.body)["hits"]["total"] == json.loads(direct.body)["hits"]["total"]
        assert b"highlight" in whole.body
        found = records(books, index, 7)
    one = found[whole.header("x-rerank-query-id") or ""]["query_attributes"]
    teams = one["teams"]
    assert set(teams) <= {"control", "narrow", "rerank", ""}
    for start in range(0, 9, 3):
        assert set(teams[start : start + 3]) == {"control", "narrow", "rerank"}
    for place, team in enumerate(teams[:3]):
        ahead = [one["ranks"][team][step] for step in range(place)]
        assert all(rank != one["ranks"][team][place] for rank in ahead)
    assert one["ranks"]["control"] == [direct.ids.index(identity) + 1 for identity in whole.ids]


def test_shadow(books: Engine) -> None:
    """Everybody gets Elasticsearch's answer; beside it the model's order is compared, and the difference recorded."""
    index = "ubi_shadow"
    forget(books, index)
    backend = FaultyBackend()
    with proxy(books.url, backend, policy(index, "shadow")) as running:
        direct = ask(books.url, "POST", "/books/_search", SNOW)
        shown = ask(running.url, "POST", "/books/_search", SNOW)
        assert told(shown) == 'passed-through;reason=control;variant="control"'
        assert shown.ids == direct.ids
        found = records(books, index, 1)
    one = found[shown.header("x-rerank-query-id") or ""]
    assert backend.calls
    assert one["query_response_hit_ids"] == direct.ids
    assert one["query_attributes"]["difference"]["displacement"] > 0
    assert one["query_attributes"]["served"] == "control"


def test_shadow_of_many_searches(books: Engine) -> None:
    """Each item is compared as a search of its own; so is what a template stands for."""
    index = "ubi_shadow_many"
    forget(books, index)
    items: list[dict[str, Any]] = [{"index": "books", "preference": "_local"}, {**SNOW, "size": 2}, {}, {**SNOW, "size": 3}]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in items)
    template = {"source": {**SNOW, "size": "{{size}}"}, "params": {"size": 4}}
    with proxy(books.url, FaultyBackend(), policy(index, "shadow")) as running:
        direct = ask(books.url, "POST", "/books/_search", SNOW)
        many = ask(running.url, "POST", "/books/_msearch", body, {"Content-Type": "application/x-ndjson"})
        ids = (many.header("x-rerank-query-id") or "").split(", ")
        assert len(ids) == 2
        rendered = ask(running.url, "POST", "/books/_search/template", template)
        if rendered.status == 200 and rendered.header("x-rerank-query-id"):
            ids.append(rendered.header("x-rerank-query-id") or "")
        found = records(books, index, len(ids))
    for identity, size in zip(ids, (2, 3, 4), strict=False):
        told = found[identity]["query_attributes"]
        assert found[identity]["query_response_hit_ids"] == direct.ids[:size]
        assert told["difference"]["displacement"] > 0
        assert told["window"] > size


def test_many_searches(books: Engine) -> None:
    """The items of an ``_msearch`` are of one unit: all control, or all reranked; each has a record of its own."""
    index = "ubi_many"
    forget(books, index)
    items = [
        {"index": "books"},
        {**SNOW, "size": 2},
        {"index": "books"},
        {"size": 0},
        {"index": "books"},
        {**SNOW, "size": 3},
    ]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in items)
    with proxy(books.url, FaultyBackend(), policy(index)) as running:
        seen = set()
        ids = []
        for unit in map(str, range(6)):
            got = ask(running.url, "POST", "/_msearch", body, {"X-User": unit, "Content-Type": "application/x-ndjson"})
            first, second, third = told(got).split(", ")
            assert second == "passed-through;reason=size-zero"
            assert first.partition(";")[0] == third.partition(";")[0]
            seen.add(first.rpartition("=")[2])
            ids += (got.header("x-rerank-query-id") or "").split(", ")
        assert seen == {'"control"', '"rerank"'}
        found = records(books, index, 12)
    assert set(ids) == set(found)
    assert {len(one["query_response_hit_ids"]) for one in found.values()} == {2, 3}


def test_a_clients_own_query_id(books: Engine) -> None:
    """``ext.ubi`` is honoured, and taken out before an engine that does not know it."""
    index = "ubi_told"
    forget(books, index)
    with proxy(books.url, FaultyBackend(), policy(index)) as running:
        for unit in ("1", "2", "3", "4"):
            told_id = f"mine-{unit}"
            search = {**SNOW, "ext": {"ubi": {"query_id": told_id, "user_query": "snow"}}}
            got = ask(running.url, "POST", "/books/_search", search, {"X-User": unit})
            assert (got.status, got.header("x-rerank-query-id")) == (200, told_id)
        found = records(books, index, 4)
    assert sorted(found) == ["mine-1", "mine-2", "mine-3", "mine-4"]


def test_a_model_that_fails(books: Engine) -> None:
    """As assigned and as served are told apart."""
    index = "ubi_failing"
    forget(books, index)
    backend = FaultyBackend()
    with proxy(books.url, backend, policy(index, "interleave")) as running:
        backend.fault = "raises"
        shown = ask(running.url, "POST", "/books/_search", SNOW, {"X-User": "1"})
        direct = ask(books.url, "POST", "/books/_search", SNOW)
        assert shown.ids == direct.ids
        (one,) = records(books, index, 1).values()
    attributes = one["query_attributes"]
    assert (attributes["variant"], attributes["served"]) == ("control+rerank", "control")
    assert (attributes["outcome"], attributes["reason"]) == ("fell-back", "scorer-error")


def changed(running: Any, name: str, body: dict[str, Any], key: str = "boss") -> httpx.Response:
    return httpx.put(f"{running.api}/experiments/{name}", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest.mark.parametrize("where", ["index", "file"])
def test_kill_switch_and_ramp(books: Engine, where: str, tmp_path: Path) -> None:
    """A change at one instance is in force at every one, and all can see that it is."""
    index = "ubi_ramp"
    forget(books, index, ".es-rerank-state")
    settings: dict[str, Any] = {"admin_key": "boss"} | ({"state": tmp_path / "state.json"} if where == "file" else {})
    with (
        proxy(books.url, FaultyBackend(), policy(index), **settings) as one,
        proxy(books.url, FaultyBackend(), policy(index), **settings) as other,
    ):
        other.application.experiments.instance = "other"
        assert changed(one, "ubi-ramp", {"stopped": True}, "intern").status_code == 401
        assert changed(one, "nope", {"stopped": True}).status_code == 400
        assert changed(one, "ubi-ramp", {"weights": {"control": 1}}).status_code == 400
        weights = {"control": 0, "rerank": 1, "narrow": 0}
        assert changed(one, "ubi-ramp", {"weights": weights}).status_code == 200
        everywhere(other, 1)
        for running in (one, other):
            for unit in map(str, range(8)):
                got = ask(running.url, "POST", "/books/_search", SNOW, {"X-User": unit})
                assert 'variant="rerank"' in told(got)
        assert changed(one, "ubi-ramp", {"stopped": True}).status_code == 200
        everywhere(other, 2)
        for running in (one, other):
            assert told(ask(running.url, "POST", "/books/_search", SNOW, {"X-User": "1"})) == "passed-through;reason=stopped"
    forget(books, ".es-rerank-state")


def everywhere(running: Any, version: int) -> None:
    """Wait until both instances have a version."""
    end = time.monotonic() + 30
    while True:
        shown = httpx.get(f"{running.api}/experiments", timeout=30).json()
        if shown["version"] == version and shown["everywhere"] and len(shown["instances"]) == 2:
            return
        assert time.monotonic() < end, shown
        time.sleep(0.2)


def test_elasticsearch_away(books: Engine, tmp_path: Path) -> None:
    """The file takes over while the index cannot be written, and is written there when it can."""
    index = "ubi_away"
    forget(books, index)
    spool = tmp_path / "spool.jsonl"
    text = policy(index).replace(f"{{index: {index}}}", f"{{index: {index}, file: {spool}}}")
    with proxy(books.url, FaultyBackend(), text) as running:
        cluster = running.application.sinks._ours()
        answer: Callable[..., Any] = cluster._asked
        from es_rerank.errors import UpstreamUnreachable

        def away(*_: Any) -> Any:
            raise UpstreamUnreachable("gone")

        cluster._asked = away  # type: ignore[method-assign,assignment]
        for unit in ("1", "2", "3"):
            ask(running.url, "POST", "/books/_search", SNOW, {"X-User": unit})
        end = time.monotonic() + 20
        while not spool.exists() or len(spool.read_bytes().splitlines()) < 3:
            assert time.monotonic() < end
            time.sleep(0.05)
        cluster._asked = answer  # type: ignore[method-assign]
        sink = next(iter(running.application.sinks._open.values()))
        sink._away_until = 0.0
        ask(running.url, "POST", "/books/_search", SNOW, {"X-User": "4"})
        records(books, index, 4)
        assert not spool.exists()


def test_the_demo_on_elasticsearch(engines: Engines, tmp_path: Path) -> None:
    """From the first simulated search to the right conclusion, on the engine that the environment names."""
    binary = Path(sys.executable).parent / "es-rerank"
    command: list[Any] = [
        binary,
        "demo-experiment",
        "--engine",
        "elasticsearch",
        "--searches",
        "300",
        "--html",
        tmp_path / "report.html",
    ]
    upstream = engines.get("elasticsearch-9").url
    told = subprocess.run(
        command, env={**os.environ, "ES_RERANK_UPSTREAM": upstream}, capture_output=True, text=True, check=False, timeout=300
    )
    assert told.returncode == 0, told.stderr
    assert "rerank is better than control" in told.stdout
