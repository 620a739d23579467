"""The command ``scorer``."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx


def test_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """In TEI's shape; an ordinary signal ends it with status 0 and takes the socket file away."""
    place = tmp_path / "s.sock"
    command = [sys.executable, "-m", "es_rerank", "scorer", "--scorer", "embedded", "--listen", f"unix:{place}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(place), retries=3), base_url="http://scorer") as client:
            end = time.monotonic() + 60
            while not place.exists() or client.get("/health").status_code != 200:
                assert time.monotonic() < end
                time.sleep(0.1)
            ranks = client.post("/rerank", json={"query": "what do cats drink", "texts": ["the moon", "cats drink water"]})
        assert [rank["index"] for rank in ranks.json()] == [1, 0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not place.exists()
