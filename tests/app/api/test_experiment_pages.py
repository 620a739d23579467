"""The Experiments page: state, kill switch, ramp, measures."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from tests.app.test_measuring import of
from tests.config.test_experiments import GOOD, HEAD
from tests.running import proxy

PAGE = {"accept": "text/html"}


def test_ramp_and_kill_switch(tmp_path: Path) -> None:
    """By forms, for an administrator; a visitor sees them, and cannot send them."""
    with proxy("http://127.0.0.1:1", policy=HEAD + GOOD, admin_key="boss", state=tmp_path / "state.json") as running:
        visitor = httpx.get(f"{running.api}/experiments", headers=PAGE).text
        assert "books-1" in visitor
        assert "Stop it" not in visitor
        assert "disabled" in visitor
        with httpx.Client(base_url=running.api, headers=PAGE | {"authorization": "Bearer boss"}) as boss:
            weights = {"weight:control": "80", "weight:narrow": "0", "weight:rerank": "20"}
            assert boss.post("/experiments/books-1", data=weights).status_code == 303
            assert boss.post("/experiments/books-1", data={"stopped": "true"}).status_code == 303
            page = boss.get("/experiments").text
            assert "stopped: everybody gets raw Elasticsearch" in page
            assert "Start it again" in page
            assert 'name="weight:control" type="number" min="0" max="1000000" step="any" value="80"' in page
            assert "Every instance has the last change." in page
            for given, words in (
                (weights | {"weight:control": "many"}, "a weight is a number"),
                ({"weight:control": "1"}, "give a weight to each of"),
            ):
                odd = boss.post("/experiments/books-1", data=given)
                assert (odd.status_code, words in odd.text) == (400, True)
        assert httpx.post(f"{running.api}/experiments/books-1", data={"stopped": "false"}).status_code == 401
        told = httpx.get(f"{running.api}/experiments").json()
        assert told["experiments"][0]["stopped"] is True


def test_measures(tmp_path: Path) -> None:
    """Worked out when asked for, in a process of its own; then verdict, table and the whole report are there."""
    made = of(tmp_path)
    policy = (tmp_path / "a.yaml").read_text()
    with proxy("http://127.0.0.1:1", policy=policy, events_index=made.events_index) as running:
        where = f"{running.api}/experiments"
        assert httpx.get(f"{where}/books-1/report").headers["location"] == "/experiments"
        assert httpx.post(f"{where}/nope/measure").status_code == 303
        assert httpx.post(f"{where}/books-1/measure").status_code == 303
        page = httpx.get(where, headers=PAGE).text
        assert 'http-equiv="refresh"' in page
        end = time.monotonic() + 60
        while "being measured" in page:
            assert time.monotonic() < end
            time.sleep(0.1)
            page = httpx.get(where, headers=PAGE).text
        assert "80 searches of 80 units" in page
        assert "no difference from control can be told from chance" in page
        assert "rerank against control, as assigned" in page
        report = httpx.get(f"{where}/books-1/report")
        assert "script-src" not in report.headers["content-security-policy"]
        assert "<svg" in report.text
