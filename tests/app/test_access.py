"""Who is let in: by key, by session, by Host, and from where a form comes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request

from es_rerank.app.access import COOKIE, Access, Denied, Role, loopback
from es_rerank.config.settings import Settings

KEYS = {"read_key": "r", "judge_key": "j", "admin_key": "a"}


def access(**settings: Any) -> Access:
    return Access(Settings(**settings))


def request(client: str = "10.0.0.9", **lines: str) -> Request:
    headers = {"host": "localhost:9202"} | {name.replace("_", "-"): value for name, value in lines.items()}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": (client, 1), "query_string": b""}
    )


def denied(found: Access, kind: str = "reads", **lines: str) -> tuple[int, str]:
    with pytest.raises(Denied) as told:
        getattr(found, kind)(request(**lines))
    return told.value.status, told.value.problem


def test_without_keys() -> None:
    """Open on loopback, for reading; closed beyond it, with the setting that would open it."""
    here = access()
    assert here.reads(request()) is Role.READER
    assert denied(here, "judges") == (403, "this is read-only: configure ES_RERANK_JUDGE_KEY")
    assert denied(here, "administers") == (403, "this is read-only: configure ES_RERANK_ADMIN_KEY")
    beyond = access(api="0.0.0.0:9202")
    assert denied(beyond) == (403, "these pages are closed beyond loopback: configure ES_RERANK_READ_KEY")
    assert denied(access(api_hosts="rerank.example"))[0] == 403
    assert not beyond.has_keys


@pytest.mark.parametrize(("key", "role"), [("r", Role.READER), ("j", Role.JUDGE), ("a", Role.ADMINISTRATOR)])
def test_keys(key: str, role: Role) -> None:
    """Each opens what it says and what is below; as a header, or as the session that it was exchanged for."""
    found = access(api="0.0.0.0:9202", **KEYS)
    for lines in ({"authorization": f"Bearer {key}"}, {"cookie": f"{COOKIE}={found.session(role)}"}):
        assert found.role(request(**lines)) is role
        assert found.reads(request(**lines)) is role
        if role < Role.ADMINISTRATOR:
            assert denied(found, "administers", **lines)[0] == 401
    assert "a" not in repr(found).split()


def test_wrong_keys_and_sessions() -> None:
    """A guess, a forged cookie, a session of keys that were changed, another scheme."""
    found, before = access(**KEYS), access(**(KEYS | {"admin_key": "old"}))
    for lines in (
        {"authorization": "Bearer x"},
        {"authorization": "Basic YTph"},
        {"cookie": f"{COOKIE}={before.session(Role.ADMINISTRATOR)}"},
        {"cookie": f"{COOKIE}=Mw.abc.def"},
        {},
    ):
        assert denied(found, **lines) == (401, "this takes the reader's key, as `Authorization: Bearer …`")
    open_one = access(admin_key="a")
    assert open_one.reads(request(authorization="Bearer x")) is Role.READER


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9202", "[::1]:9202", "10.1.2.3:9202", "Rerank.Example:443"])
def test_hosts_that_are_ours(host: str) -> None:
    """Addresses, localhost, and names that are configured: a foreign name cannot be an address."""
    assert access(api_hosts="rerank.example", read_key="r").reads(request(host=host, authorization="Bearer r"))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example"])
def test_foreign_hosts(host: str) -> None:
    """Refused, with the setting."""
    status, problem = denied(access(), host=host)
    assert (status, "ES_RERANK_API_HOSTS" in problem) == (421, True)


def test_forms_of_other_sites() -> None:
    """By what the browser says of itself; a program says nothing."""
    found = access(admin_key="a")
    own = {"authorization": "Bearer a"}
    for lines in (
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "http://localhost:9202"},
        {},
    ):
        assert found.administers(request(**own, **lines)) is Role.ADMINISTRATOR
    for lines in ({"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"origin": "http://evil.example"}):
        assert denied(found, "administers", **own, **lines) == (403, "this form was sent from another site")
        assert denied(found, "tries_out", **lines)[0] == 403


def test_attempts_are_counted() -> None:
    """Ten a minute from one address."""
    found = access(admin_key="a")
    assert [found.tries(request()) for _ in range(11)] == [True] * 10 + [False]
    assert found.tries(request("10.0.0.8"))


def test_cookies_are_for_https_where_there_is_some() -> None:
    """And never for scripts or other sites."""
    assert access().cookie == {"httponly": True, "samesite": "strict", "secure": False, "path": "/"}
    assert access(tls_cert="cert.pem").cookie["secure"]


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("LOCALHOST", True), ("0.0.0.0", False), ("a", False)],
)
def test_loopback(host: str, own: bool) -> None:
    """Names and addresses that never leave the machine."""
    assert loopback(host) is own
