"""One query of a page; what pages make of it is tested with them."""

from __future__ import annotations

import pytest

from es_rerank.app.api.asking import login
from tests.running import proxy


@pytest.mark.parametrize(
    ("own", "given", "found"),
    [
        ({}, None, b""),
        ({}, "Basic dTpw", b"Basic dTpw"),
        ({}, "Bearer page-key", b""),
        ({"own_user": "u", "own_password": "p"}, "Basic eDp5", b"Basic dTpw"),
    ],
)
def test_whose_login(own: dict[str, str], given: str | None, found: bytes) -> None:
    """Our own, else the visitor's; a key for these pages never travels to Elasticsearch."""
    with proxy("http://127.0.0.1:1", **own) as running:  # type: ignore[arg-type]
        lines = login(running.application, given)
        assert b"".join(value for _, value in lines) == found
