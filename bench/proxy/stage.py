"""Everything that a run starts: an upstream that answers at once, nginx in front of it, the proxies, and load."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.engine.texts import ROOT

UPSTREAM, NGINX, OURS, OUR_API, PLAIN, FRONT, SINK, BARE = 19610, 19611, 19612, 19613, 19614, 19615, 19616, 19617
ANSWER_BYTES = 15_000
BODY = b'{"query":{"match":{"title":"snow"}}}' + b" " * 64
TARGET = "/logs/_search"


@contextlib.contextmanager
def process(command: list[str], port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that listens on ``port`` when the block begins."""
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **variables}
    )
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if running.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} did not become ready on port {port}") from None
                time.sleep(0.1)
        yield running
    finally:
        running.terminate()
        running.wait()


@contextlib.contextmanager
def everything() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """All servers of a run, by name."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "answer").mkdir()
        (folder / "answer/body.json").write_bytes(json.dumps({"hits": "x" * (ANSWER_BYTES - 12)}).encode())
        started = {}
        nginx = shutil.which("nginx") or "nginx"
        for kind, port, text in (
            ("upstream", UPSTREAM, _upstream(folder)),
            ("nginx", NGINX, _pass(folder)),
            ("front", FRONT, _front(folder)),
        ):
            (folder / f"{kind}.conf").write_text(text)
            command = [nginx, "-p", str(folder), "-c", str(folder / f"{kind}.conf")]
            started[kind] = stack.enter_context(process(command, port))
        (folder / "policies").mkdir()
        (folder / "policies/p.yaml").write_text('indices: ["books"]\npassage: {fields: [title]}\n')
        ours = [sys.executable, "-m", "es_rerank", "serve", "--scorer", "fake", "--log-level", "error"]
        ours += ["--upstream", f"http://127.0.0.1:{UPSTREAM}", "--config", str(folder / "policies")]
        ours += ["--listen", f"127.0.0.1:{OURS}", "--api", f"127.0.0.1:{OUR_API}"]
        started["es-rerank"] = stack.enter_context(process(ours, OURS))
        for kind, port in (("plain", PLAIN), ("bare", BARE)):
            other = [sys.executable, "-m", "uvicorn", f"bench.proxy.{kind}:app", "--port", str(port), "--no-access-log"]
            other += ["--no-proxy-headers", "--log-level", "error"]
            started[kind] = stack.enter_context(process(other, port, UPSTREAM=f"http://127.0.0.1:{UPSTREAM}"))
        yield started


def _common(folder: Path, kind: str) -> str:
    names = " ".join(
        f"{name}_temp_path {folder}/{kind}-{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"user root; daemon off; worker_processes 1; pid {folder}/{kind}.pid; error_log {folder}/{kind}.log; events {{ worker_connections 4096; }}"
    return head + f" http {{ access_log off; client_max_body_size 0; keepalive_requests 100000000; {names}"


def _upstream(folder: Path) -> str:
    """A file of 15 KB for any request; a body is read and thrown away."""
    answer = f"error_page 405 =200 /body.json; default_type application/json; root {folder}/answer; open_file_cache max=9;"
    sink = f"location /_bulk {{ proxy_request_buffering off; proxy_http_version 1.1; proxy_pass http://127.0.0.1:{SINK}; }}"
    everything = "location / { try_files /body.json =404; }"
    return f"{_common(folder, 'upstream')} server {{ listen 127.0.0.1:{UPSTREAM} backlog=4096; {answer} {everything} {sink} }} }}"


def _pass(folder: Path) -> str:
    """Nginx as a proxy, the limit."""
    there = f"upstream there {{ server 127.0.0.1:{UPSTREAM}; keepalive 128; keepalive_requests 100000000; }}"
    rule = 'proxy_pass http://there; proxy_http_version 1.1; proxy_set_header Connection "";'
    return (
        f"{_common(folder, 'nginx')} {there} server {{ listen 127.0.0.1:{NGINX} backlog=4096; location / {{ {rule} }} }} }}"
    )


def _front(folder: Path) -> str:
    """The shipped configuration, with one worker as the others have."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    for old, new in (("9200", UPSTREAM), ("9201", OURS), ("9210", FRONT)):
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    text = re.sub(r"worker_processes auto;\nevents \{.*?\}", "", text, flags=re.DOTALL).replace(
        "keepalive 128;", "keepalive 128; keepalive_requests 100000000;"
    )
    return text.replace(
        "http {", _common(folder, "front").replace("client_max_body_size 0;", "").replace("access_log off;", ""), 1
    )


class Sink:
    """Reads whatever is sent, to its end, and says 200; counts bytes."""

    def __init__(self) -> None:
        self.received = 0
        self._server = socket.create_server(("127.0.0.1", SINK))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection:
                data = connection.recv(65_536)
                head, _, rest = data.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head.lower())
                left = int(length[1]) - len(rest) if length else 0
                self.received += len(rest)
                while left > 0 and (piece := connection.recv(1_048_576)):
                    left -= len(piece)
                    self.received += len(piece)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


class Load:
    """What a load generator saw: requests a second, latencies in milliseconds, requests in all."""

    def __init__(self, rate: float, median_ms: float, rare_ms: float, count: int, failed: int) -> None:
        self.rate, self.median_ms, self.rare_ms, self.count, self.failed = rate, median_ms, rare_ms, count, failed


def closed(port: int, connections: int, seconds: int, target: str = TARGET) -> Load:
    """``wrk``: each connection asks again as soon as it is answered."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            f"wrk.method='POST' wrk.body={json.dumps(BODY.decode())} wrk.headers['Content-Type']='application/json'\n"
        )
        script.write(
            'done=function(s,l,r) io.write(string.format(\'{"rate":%f,"p50":%f,"p99":%f,"count":%d,"failed":%d}\\n\','
            "s.requests/(s.duration/1e6),l:percentile(50)/1e3,l:percentile(99)/1e3,s.requests,"
            "s.errors.status+s.errors.connect+s.errors.read+s.errors.write+s.errors.timeout)) end\n"
        )
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}{target}"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(told.splitlines()[-1])
    return Load(found["rate"], found["p50"], found["p99"], found["count"], found["failed"])


def cpu_s(running: subprocess.Popen[bytes]) -> float:
    """Processor time of a process so far, its children's not counted."""
    fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(running: subprocess.Popen[bytes], name: str) -> int:
    """``VmRSS`` or ``VmHWM``."""
    found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{running.pid}/status").read_text())
    assert found is not None
    return int(found[1])
