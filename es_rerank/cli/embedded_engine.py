"""The embedded Elasticsearch-compatible server of the demo: the binary inside the wheel ``noida-db``, run as it is."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import httpx

from es_rerank.errors import EsRerankError

START_TIMEOUT_S = 30


@contextlib.contextmanager
def embedded_engine() -> Iterator[str]:
    """Start it on a free port, in a folder that goes when it ends; gives its address. Raises EsRerankError."""
    try:
        binary = Path(str(metadata.distribution("noida-db").locate_file("noida_db/noida-db")))
    except metadata.PackageNotFoundError as exc:
        raise EsRerankError("the embedded engine needs the package noida-db: pip install 'es-rerank[embedded]'") from exc
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        binary.chmod(binary.stat().st_mode | 0o111)
        command = [str(binary), "start", "--only", "elasticsearch", "--elasticsearch-port", str(port)]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, Path(folder) / "log")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=1).status_code == httpx.codes.OK:
                return
        time.sleep(0.05)
    told = log.read_text(errors="replace")[-500:]
    raise EsRerankError(f"the embedded engine did not start: {told}")
