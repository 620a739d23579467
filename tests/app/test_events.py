"""Where clicks are reported: bad ones are told, good ones are kept, and nobody can read."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

from tests.config.test_experiments import GOOD, HEAD
from tests.running import proxy

CLICK = {"action_name": "click", "query_id": "q1"}


def settings(file: Path, **more: Any) -> dict[str, Any]:
    return {"events": "127.0.0.1:0", "events_index": None, "events_file": file, **more}


def lines(file: Path, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 20
    while not file.exists() or len(file.read_bytes().splitlines()) < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def test_reports(tmp_path: Path) -> None:
    """Batches, lines and the beacon; what is wrong with a few of a batch loses nothing else of it."""
    file = tmp_path / "events.jsonl"
    with proxy("http://127.0.0.1:1", policy=HEAD + GOOD, **settings(file)) as running:
        url = f"{running.events}/events"
        assert httpx.post(url, json=[CLICK, CLICK]).json() == {"accepted": 2, "errors": []}
        mixed = httpx.post(url, json=[CLICK, {}, CLICK])
        assert mixed.status_code == 400
        assert (mixed.json()["accepted"], mixed.json()["errors"][0]["event"]) == (2, 1)
        by_cookie = {"action_name": "click", "event_attributes": {"object": {"object_id": "7"}}}
        assert httpx.post(url, content=json.dumps(by_cookie) + "\n", headers={"Cookie": "session=9"}).status_code == 200
        for content in ("nonsense", "", json.dumps([CLICK] * 1001)):
            odd = httpx.post(url, content=content)
            assert (odd.status_code, odd.json()["accepted"]) == (400, 0)
        assert httpx.post(url, content=b" " * 1_048_577).status_code == 413
        query = "action_name=click&query_id=q2&object_id=42&position=3&value=9.5"
        image = httpx.get(f"{running.events}/events.gif?{query}")
        assert (image.status_code, image.headers["content-type"], image.content[:6]) == (200, "image/gif", b"GIF89a")
        for odd_query in ("query_id=q2", f"{query}&position=first", f"{query}&value=much"):
            assert httpx.get(f"{running.events}/events.gif?{odd_query}").status_code == 400
        assert httpx.get(url).status_code == 405
        found = lines(file, 6)
    assert len({one["event_id"] for one in found}) == len(found) == 6
    assert found[4]["event_attributes"]["units"]
    assert found[5]["event_attributes"] == {
        "object": {"object_id": "42", "object_id_field": "_id"},
        "position": {"ordinal": 3},
        "value": 9.5,
    }


def test_token_rate_and_origins(tmp_path: Path) -> None:
    """A token where one is configured; so many a minute; other sites only where they are named."""
    more = {"events_token": "let-me", "events_per_minute": 4, "events_origins": "https://shop.example"}
    with proxy("http://127.0.0.1:1", policy=HEAD + GOOD, **settings(tmp_path / "e", **more)) as running:
        url = f"{running.events}/events"
        assert httpx.post(url, json=CLICK).status_code == 401
        told = httpx.post(f"{url}?token=let-me", json=CLICK, headers={"Origin": "https://shop.example"})
        assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, "https://shop.example")
        other = httpx.post(url, json=CLICK, headers={"Authorization": "Bearer let-me", "Origin": "https://else.example"})
        assert "access-control-allow-origin" not in other.headers
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        assert httpx.options(url, headers=asked).status_code == 200
        codes = [
            httpx.get(f"{running.events}/events.gif?token=let-me&action_name=click&query_id=q").status_code for _ in range(4)
        ]
        assert codes == [200, 200, 429, 429]


def test_to_an_index(tmp_path: Path) -> None:
    """With the file beside it, while the index is away."""
    file = tmp_path / "events.jsonl"
    more = settings(file, events_index="ubi_events")
    with proxy("http://127.0.0.1:1", policy=HEAD + GOOD, **more) as running:
        httpx.post(f"{running.events}/events", json=CLICK)
        assert lines(file, 1)[0]["query_id"] == "q1"
