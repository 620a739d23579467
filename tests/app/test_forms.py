"""Forms, and where to go after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import Request

from es_rerank.app.access import Denied
from es_rerank.app.forms import MOST_BYTES, form, own_path


def sent(body: bytes) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    given: Callable[[], Awaitable[dict[str, Any]]] = receive
    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}, given)


async def test_fields() -> None:
    """Decoded; of equal names the last; empty ones are there."""
    assert await form(sent("a=1&b=&a=%E7%8C%AB+x&\xff=2".encode("latin-1"))) == {"a": "猫 x", "b": "", "�": "2"}
    assert await form(sent(b"")) == {}


async def test_a_form_that_is_too_long() -> None:
    """Is not read to its end."""
    with pytest.raises(Denied, match="at most"):
        await form(sent(b"a" * (MOST_BYTES + 1)))


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/judge/a/q1?x=1", "/judge/a/q1?x=1"),
        ("https://evil.example/", "/compare"),
        ("//evil.example", "/compare"),
        ("/\\evil.example", "/compare"),
        ("/x\r\nSet-Cookie: a=b", "/compare"),
        ("javascript:alert(1)", "/compare"),
        ("", "/compare"),
    ],
)
def test_no_open_redirect(target: str, path: str) -> None:
    """Only paths of these pages."""
    assert own_path(target) == path
