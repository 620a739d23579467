"""Grading by people."""

from __future__ import annotations

from pathlib import Path

import httpx

from es_rerank.evaluation import collections
from tests.app.api.test_compare import EVIL, elasticsearch
from tests.running import POLICY, proxy
from tests.stubs import stub

RULES = POLICY.replace('["books*", "many", "vectors*"]', '["books", "locked", "gone"]')


def test_from_queries_to_judgments(tmp_path: Path) -> None:
    """A judge makes a set, grades what both orders found, goes on to the next query; evaluate reads it."""
    with stub(elasticsearch) as upstream, proxy(upstream.url, policy=RULES, judge_key="j", judgments=tmp_path) as running:
        with httpx.Client(base_url=running.api, headers={"authorization": "Bearer j"}) as judge:
            made = judge.post("/judge", data={"name": "first", "index": "books", "queries": "white snow\n\nice"})
            assert (made.status_code, made.headers["location"]) == (303, "/judge/first/q1")
            page = judge.get("/judge/first/q1").text
            assert page.count("<fieldset>") == 2
            assert EVIL not in page
            assert page.count(" checked") == 2
            graded = judge.post("/judge/first/q1", data={"grade:one": "3", "grade:<i>two": "0", "after": "q2"})
            assert (graded.status_code, graded.headers["location"]) == (303, "/judge/first/q2")
            again = judge.get("/judge/first/q1").text
            assert 'value="3" checked' in again
            judge.post("/judge/first/q1", data={"grade:<i>two": "", "after": ""})
            assert "1 / 2" in judge.get("/judge").text
        assert collections.load(tmp_path / "first").judgments == {"q1": {"one": 3}}
        visitor = httpx.get(f"{running.api}/judge/first/q1")
        assert "<fieldset disabled>" in visitor.text
        assert httpx.post(f"{running.api}/judge/first/q1", data={"grade:one": "1"}).status_code == 401


def test_the_order_tells_nothing(tmp_path: Path) -> None:
    """It is the same whichever order is right, and another for another query."""
    with stub(elasticsearch) as upstream, proxy(upstream.url, policy=RULES, judge_key="j", judgments=tmp_path) as running:
        judge = httpx.Client(base_url=running.api, headers={"authorization": "Bearer j"})
        judge.post("/judge", data={"name": "many", "index": "books", "queries": "\n".join(f"snow {n}" for n in range(12))})
        first = {judge.get(f"/judge/many/q{n}").text.partition("<legend>")[2][:3] for n in range(1, 13)}
        judge.close()
        assert first == {"one", "&lt"}


def test_problems(tmp_path: Path) -> None:
    """Each is said, and what was typed stays."""
    with stub(elasticsearch) as upstream, proxy(upstream.url, policy=RULES, judge_key="j", judgments=tmp_path) as running:
        with httpx.Client(base_url=running.api, headers={"authorization": "Bearer j"}) as judge:
            odd = judge.post("/judge", data={"name": "Big", "index": "books", "queries": "kept words"})
            assert (odd.status_code, "no name of a set" in odd.text, "kept words" in odd.text) == (400, True, True)
            judge.post("/judge", data={"name": "away", "index": "gone", "queries": "snow"})
            assert "answered 404" in judge.get("/judge/away/q1").text
            assert "no query &#39;q9&#39;" in judge.get("/judge/away/q9").text
            assert judge.get("/judge/nowhere/q1").status_code == 404
            assert judge.post("/judge/away/q1", data={"grade:a": "9"}).status_code == 400
            assert judge.post("/judge/away/q1", data={"grade:a": "x"}).status_code == 400
            judge.post("/judge", data={"name": "shut", "index": "locked", "queries": "snow"})
            shut = httpx.get(f"{running.api}/judge/shut/q1")
            assert (shut.status_code, shut.headers["www-authenticate"][:5]) == (401, "Basic")
            assert httpx.get(f"{running.api}/judge/shut/q1", auth=("u", "p")).status_code == 200
            (tmp_path / "away/queries.jsonl").write_text("nonsense\n")
            assert "no query set that can be read" in judge.get("/judge").text
    with proxy("http://127.0.0.1:1", judge_key="j") as running:
        with httpx.Client(base_url=running.api, headers={"authorization": "Bearer j"}) as judge:
            assert "ES_RERANK_JUDGMENTS" in judge.get("/judge").text
            assert "no folder for judgments" in judge.post("/judge", data={"name": "a"}).text
