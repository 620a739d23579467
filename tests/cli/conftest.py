"""An embedded engine for the commands, and commands as a person runs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.engines import Engine
from tests.real.library import fill

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def library() -> Iterator[Engine]:
    """The embedded engine with the conformance library in it."""
    engine = Engine("embedded").launch().wait()
    fill(engine)
    yield engine
    engine.stop()


@pytest.fixture
def run() -> Run:
    """Run ``es-rerank`` with arguments; no standard input."""

    def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        import os

        binary = Path(sys.executable).parent / "es-rerank"
        return subprocess.run(
            [binary, *arguments],
            env={**os.environ, "COLUMNS": "140", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return command
