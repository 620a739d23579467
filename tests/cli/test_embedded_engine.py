"""The embedded engine of the demo."""

from __future__ import annotations

from importlib import metadata
from typing import NoReturn

import httpx
import pytest

from es_rerank.cli.embedded_engine import embedded_engine
from es_rerank.errors import EsRerankError


def test_it_answers_and_goes() -> None:
    """For as long as the block."""
    with embedded_engine() as url:
        assert httpx.get(url).json()["tagline"] == "You Know, for Search"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""

    def absent(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(EsRerankError, match="pip install"), embedded_engine():
        pytest.fail("must not start")
