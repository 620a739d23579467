"""The way in."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from es_rerank.app.access import COOKIE
from es_rerank.app.api import PAGES as AREAS
from tests.running import proxy

NOWHERE = "http://127.0.0.1:1"
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with proxy(NOWHERE, read_key="r", admin_key="a", api_hosts="rerank.example") as running:
        yield running.api


def test_in_and_out(api: str) -> None:
    """To the page that was asked for, with a cookie that no script reads; out again, and the page is closed."""
    with httpx.Client(base_url=api, headers=PAGE) as browser:
        closed = browser.get("/live?seconds=60")
        assert (closed.status_code, 'name="next" value="/live?seconds=60"' in closed.text) == (401, True)
        wrong = browser.post("/login", data={"key": "x", "next": "/live"})
        assert (wrong.status_code, "this key opens nothing" in wrong.text) == (401, True)
        entered = browser.post("/login", data={"key": " r ", "next": "/live?seconds=60"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/live?seconds=60")
        cookie = entered.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"))
        assert browser.get("/live").status_code == 200
        assert "Log out" in browser.get("/compare").text
        left = browser.post("/logout")
        assert (left.status_code, COOKIE in browser.cookies) == (303, False)
        assert browser.get("/live").status_code == 401


def test_programs_get_a_line(api: str) -> None:
    """With the key as a header, or an error in JSON."""
    told = httpx.get(f"{api}/live.json")
    assert (told.status_code, told.headers["www-authenticate"]) == (401, "Bearer")
    assert "reader's key" in told.json()["error"]
    assert httpx.get(f"{api}/live.json", headers={"authorization": "Bearer r"}).status_code == 200


def test_no_open_redirect(api: str) -> None:
    """A link to the login page cannot lead elsewhere."""
    entered = httpx.post(f"{api}/login", data={"key": "r", "next": "https://evil.example/"})
    assert entered.headers["location"] == "/compare"
    assert 'name="next" value="/compare"' in httpx.get(f"{api}/login?next=//evil.example").text


def test_hosts(api: str) -> None:
    """A foreign name is refused on pages, and on nothing that machines need."""
    own, foreign = {"host": "rerank.example"}, {"host": "evil.example"}
    assert httpx.get(f"{api}/login", headers=own).status_code == 200
    for path in ("/login", "/compare", "/experiments", "/live.json", "/policies", "/judge"):
        told = httpx.get(f"{api}{path}", headers=foreign | PAGE)
        assert (told.status_code, "ES_RERANK_API_HOSTS" in told.text) == (421, True), path
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert httpx.get(f"{api}{path}", headers=foreign).status_code == 200


def test_nobody_is_logged_in_by_another_site(api: str) -> None:
    """A form of elsewhere cannot put its own session into a browser."""
    told = httpx.post(f"{api}/login", data={"key": "r"}, headers={"sec-fetch-site": "cross-site"})
    assert (told.status_code, "set-cookie" in told.headers) == (403, False)


def test_too_many_attempts() -> None:
    """Are answered 429, the right key among them."""
    with proxy(NOWHERE, admin_key="a") as running:
        found = [httpx.post(f"{running.api}/login", data={"key": "x"}).status_code for _ in range(10)]
        assert found == [401] * 10
        late = httpx.post(f"{running.api}/login", data={"key": "a"})
        assert (late.status_code, late.headers["retry-after"], "set-cookie" in late.headers) == (429, "60", False)


def test_every_page_is_closed_without_a_key(api: str) -> None:
    """Reading and writing; the list is that of all routes, so a new one cannot be forgotten."""
    paths = [
        ("GET", "/compare"), ("GET", "/judge"), ("POST", "/judge"), ("GET", "/judge/a/q1"), ("POST", "/judge/a/q1"),
        ("GET", "/experiments"), ("PUT", "/experiments/a"), ("POST", "/experiments/a"), ("POST", "/experiments/a/measure"),
        ("GET", "/experiments/a/report"), ("GET", "/live"), ("GET", "/live.json"), ("GET", "/policies"), ("POST", "/policies"),
        ("POST", "/logout"),
    ]  # fmt: skip
    for method, path in paths:
        assert httpx.request(method, f"{api}{path}").status_code in {401, 403}, (method, path)
    with proxy(NOWHERE, read_key="r") as running:
        application = running.application
        served = {
            (method, str(route.path))
            for area in AREAS
            for route in area.router(application).routes
            for method in (getattr(route, "methods", None) or ())
        }
    free = {"/", "/login", "/static/{name}"}
    found = {(method, path.format(name="a", query="q1")) for method, path in served if path not in free and method != "HEAD"}
    assert found == set(paths)
