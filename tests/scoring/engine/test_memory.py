"""The C library's settings."""

from __future__ import annotations

import ctypes
import platform
from typing import Any

import pytest

from es_rerank.scoring.engine import memory


def test_glibc_takes_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is there; another library is left alone."""
    assert memory.keep() == (platform.libc_ver()[0] == "glibc")

    def other(_: Any) -> object:
        return object()

    monkeypatch.setattr(ctypes, "CDLL", other)
    assert not memory.keep()
