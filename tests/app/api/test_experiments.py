"""``/experiments``: reading is free, changing needs the administrator's key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.config.test_experiments import GOOD, HEAD
from tests.running import proxy

NOWHERE = "http://127.0.0.1:1"


def put(url: str, body: Any, name: str = "books-1", key: str | None = "boss") -> httpx.Response:
    lines = {"Authorization": f"Bearer {key}"} if key else {}
    kind: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
    return httpx.put(f"{url}/experiments/{name}", headers=lines, timeout=30, **kind)


def test_show_and_change(tmp_path: Path) -> None:
    """What runs, under what; each way to ask wrongly has its status and its words."""
    with proxy(NOWHERE, policy=HEAD + GOOD, admin_key="boss", state=tmp_path / "state.json") as running:
        shown = httpx.get(f"{running.api}/experiments").json()
        weights = {"control": 50, "narrow": 20, "rerank": 30}
        one = {"id": "books-1", "policy": "a", "mode": "split", "stopped": False, "weights": weights}
        assert shown == {"experiments": [one], "version": 0, "instances": {}, "everywhere": True, "fault": ""}
        for body, name, key, status, words in (
            ({"stopped": True}, "books-1", None, 401, "administrator's key"),
            ({"stopped": True}, "books-1", "guess", 401, "administrator's key"),
            ({"stopped": True}, "nope", "boss", 400, "there are: books-1"),
            ({"stop": True}, "books-1", "boss", 400, "unknown field `stop`"),
            ("nonsense", "books-1", "boss", 400, "JSON is malformed"),
        ):
            told = put(running.api, body, name, key)
            assert (told.status_code, words in told.json()["error"]) == (status, True), told.text
        changed = put(running.api, {"stopped": True, "weights": weights | {"narrow": 0}})
        assert changed.status_code == 200
        assert changed.json()["experiments"] == [one | {"stopped": True, "weights": weights | {"narrow": 0}}]
        assert changed.json()["everywhere"] is True
        assert "/experiments/{name}" in httpx.get(f"{running.api}/openapi.json").json()["paths"]


def test_without_a_key_nothing_can_be_changed() -> None:
    """And the answer says which setting would allow it."""
    with proxy(NOWHERE, policy=HEAD + GOOD) as running:
        told = put(running.api, {"stopped": True})
        assert told.status_code == 403
        assert "ES_RERANK_ADMIN_KEY" in told.json()["error"]


@pytest.mark.parametrize("place", ["index", "file"])
def test_a_state_that_cannot_be_stored(place: str, tmp_path: Path) -> None:
    """Told, with the reason."""
    settings: dict[str, Any] = {"state": tmp_path / "missing/state.json"} if place == "file" else {}
    with proxy(NOWHERE, policy=HEAD + GOOD, admin_key="boss", **settings) as running:
        told = put(running.api, {"stopped": True})
        assert told.status_code == 502
        assert "cannot be stored" in told.json()["error"]
