"""``python -m bench.proxy``: start everything, measure, print the table, keep it; exit status 0 when every must holds."""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import msgspec

from bench.engine.report import Row, machine
from bench.engine.texts import ROOT
from bench.proxy.stage import BARE, FRONT, NGINX, OURS, PLAIN, UPSTREAM, Load, Sink, closed, cpu_s, everything, memory_kib
from bench.proxy.steady import steady

CONNECTIONS = 64
RATE = 1000
PORTS = {"direct": UPSTREAM, "nginx": NGINX, "es-rerank": OURS, "uvicorn and aiohttp": BARE, "FastAPI and httpx": PLAIN}


def main() -> int:
    """Everything in one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    given = parser.parse_args()
    missing = [name for name in ("nginx", "wrk", "curl") if shutil.which(name) is None]
    if missing:
        print(f"not on the path: {', '.join(missing)} (Debian: apt-get install nginx-light wrk curl)")
        return 2
    seconds, rounds = (4, 3) if given.quick else (10, 5)
    with everything() as started:
        many = _rounds(rounds, lambda port: closed(port, CONNECTIONS, seconds))
        alone = _rounds(rounds, lambda port: closed(port, 1, seconds // 2))
        ours = started["es-rerank"]
        begun = cpu_s(ours)
        kept = [steady(OURS, RATE, seconds) for _ in range(rounds)]
        spent_us = (cpu_s(ours) - begun) / sum(load.count for load in kept) * 1e6
        bare = [steady(UPSTREAM, RATE, seconds) for _ in range(rounds)]
        straight = [
            (closed(FRONT, CONNECTIONS, seconds, "/logs/_doc/1"), closed(NGINX, CONNECTIONS, seconds, "/logs/_doc/1"))
            for _ in range(rounds)
        ]
        grown_mib = _upload(ours)
    rows = _rows(many, alone, kept, bare, straight, spent_us, grown_mib)
    text = _written(many, alone, rows, "quick" if given.quick else "full")
    print(text)
    return 1 if any(row.holds is False for row in rows) else 0


def _rounds(rounds: int, ask: Callable[[int], Load]) -> dict[str, Load]:
    """Interleaved rounds over all ways; the one with the median rate of each."""
    found: dict[str, list[Load]] = {name: [] for name in PORTS}
    for turn in range(rounds):
        for name, port in PORTS.items():
            load = ask(port)
            found[name].append(load)
            print(
                f"  {turn + 1}/{rounds} {name}: {load.rate:.0f}/s, median {load.median_ms:.3f} ms, failed {load.failed}",
                flush=True,
            )
    return {name: sorted(loads, key=lambda load: load.rate)[rounds // 2] for name, loads in found.items()}


def _upload(ours: subprocess.Popen[bytes]) -> float:
    """MiB that the proxy grows by while a body of 1 GiB goes through it."""
    sink, before = Sink(), memory_kib(ours, "VmRSS")
    Path(f"/proc/{ours.pid}/clear_refs").write_text("5")  # the peak is counted from here
    with tempfile.NamedTemporaryFile() as body:
        body.truncate(2**30)
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-T", body.name]
        told = subprocess.run([*command, f"http://127.0.0.1:{OURS}/_bulk"], capture_output=True, text=True, check=True)
    if told.stdout != "200" or sink.received != 2**30:
        raise RuntimeError(f"the large body was answered with {told.stdout}, {sink.received} bytes arrived")
    return (memory_kib(ours, "VmHWM") - before) / 1024


def _rows(
    many: dict[str, Load],
    alone: dict[str, Load],
    kept: list[Load],
    bare: list[Load],
    straight: list[tuple[Load, Load]],
    spent_us: float,
    grown_mib: float,
) -> list[Row]:
    ours, plain, limit = many["es-rerank"], many["FastAPI and httpx"], many["uvicorn and aiohttp"]
    added = {name: alone[name].median_ms - alone["direct"].median_ms for name in ("es-rerank", "nginx")}
    rare = statistics.median(load.rare_ms for load in kept) - statistics.median(load.rare_ms for load in bare)
    share = statistics.median(front.rate / nginx.rate for front, nginx in straight)
    own = [many["es-rerank"], alone["es-rerank"], *kept, *(front for front, _ in straight)]
    failed = sum(load.failed for load in own)
    return [
        Row(f"requests a second, {CONNECTIONS} connections, against FastAPI and httpx", ours.rate / plain.rate, 12, 20,
            note=f"{ours.rate:.0f} and {plain.rate:.0f}"),
        Row("the same of uvicorn and aiohttp with nothing of ours between them", limit.rate / plain.rate, note="the limit"),
        Row("added median, one connection, against nginx's proxy_pass", added["es-rerank"] / added["nginx"], 25, 8, most=True,
            note=f"{added['es-rerank'] * 1000:.0f} µs and {added['nginx'] * 1000:.0f} µs"),
        Row(f"processor time for each request at {RATE} a second, µs", spent_us, note="the proxy's process"),
        Row(f"added p99 at {RATE} a second, ms", rare, note="from the moment that a request was due"),
        Row("a body of 1 GiB: growth of the process, MiB", grown_mib, 32, None, most=True),
        Row("what goes straight through deploy/nginx.conf, against nginx's own rate", share, 0.85, None),
        Row("failed requests through es-rerank and deploy/nginx.conf", float(failed), 0, None, most=True),
    ]  # fmt: skip


def _written(many: dict[str, Load], alone: dict[str, Load], rows: list[Row], kind: str) -> str:
    """Keep the run under ``bench/results/`` and give its Markdown."""
    told = machine()
    told["packages"] = {
        name: metadata.version(name) for name in ("aiohttp", "uvicorn", "uvloop", "httptools", "fastapi", "httpx")
    }
    versions = ", ".join(f"{name} {version}" for name, version in told["packages"].items())
    loads = {"many": many, "alone": alone}
    table = {way: {name: load.__dict__ for name, load in of.items()} for way, of in loads.items()}
    name = "proxy-quick" if kind == "quick" else "proxy"
    entries = [msgspec.to_builtins(row) | {"holds": row.holds} for row in rows]
    folder = ROOT / "bench/results"
    (folder / f"{name}.json").write_text(json.dumps({"machine": told, "loads": table, "rows": entries}, indent=1) + "\n")
    how = "A POST of 100 bytes with an answer of 15 KB; upstream, proxy and load generator share the cores; one process each"
    lines = [
        f"# What is not reranked: {kind} run",
        "",
        f"{told['when']}, commit {told['commit']}, {told['processor']}; Python {told['python']}, {versions}. {how}.",
        "",
        "| what | value | must | aim | holds | note |",
        "| --- | --- | --- | --- | --- | --- |",
        *(row.markdown() for row in rows),
        "",
        f"| way | requests/s, {CONNECTIONS} connections | p50, ms | p99, ms | p50 alone, ms |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {way} | {load.rate:.0f} | {load.median_ms:.2f} | {load.rare_ms:.2f} | {alone[way].median_ms:.3f} |"
            for way, load in many.items()
        ),
        "",
    ]
    (folder / f"{name}.md").write_text("\n".join(lines))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
