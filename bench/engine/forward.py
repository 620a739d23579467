"""The same pairs through every peer: interleaved rounds, medians, ratios."""

from __future__ import annotations

import statistics
from functools import cache
from pathlib import Path
from typing import Any

from bench.engine.peers import CPU, CUDA, Peer, Process
from bench.engine.report import Row
from bench.engine.texts import max_length, mix
from es_rerank.scoring.engine.device import has_fast_bf16

AMX_RATIO = 8.6
"""bf16 over fp32 in dense products on the machine with AMX that the bounds were drawn up on."""


_INT8 = "CPU: int8 against FlagEmbedding fp32, natural mix"
_ABSENT = {"bf16": "no bf16 products on this processor", "int8": "no int8 products (VNNI) on this processor"}


@cache
def absent() -> dict[str, str]:
    """The precisions that this processor would only emulate, which takes hours or gains nothing, and why."""
    flags = Path("/proc/cpuinfo").read_text()
    fast = {"bf16": has_fast_bf16(), "int8": any(name in flags for name in ("avx512_vnni", "avx_vnni", "amx_int8"))}
    return {precision: why for precision, why in _ABSENT.items() if not fast[precision]}


def run(model: str, *, quick: bool, cuda: bool, rounds: int) -> list[dict[str, Any]]:
    """The table: an entry for each peer and mix."""
    lacking = {} if cuda else absent()
    main = {peer for peer in (CUDA if cuda else CPU) if peer.quick or (peer.instead and "bf16" in lacking)}
    listed = [peer for peer in (CUDA if cuda else CPU) if not quick or peer in main]
    peers = [peer for peer in listed if peer.precision not in lacking]
    scale = 16 if cuda else 1
    mixes = {"natural": (6 if quick else 16) * scale} | (
        {} if quick else {"128": 6 * scale, "256": 3 * scale, "512": 2 * scale}
    )
    pairs = {name: mix(name, count) for name, count in mixes.items()}
    seconds: dict[tuple[str, str], list[float]] = {}
    logits: dict[tuple[str, str], list[float]] = {}
    faults = {peer.label: lacking[peer.precision] for peer in listed if peer not in peers}
    processes: dict[tuple[str, str], Process] = {}
    for turn in range(rounds):
        for peer in peers:
            try:
                if peer.process not in processes:
                    print(f"  starting {peer.label}", flush=True)
                    processes[peer.process] = Process(peer.kind, model, peer.precision, peer.packages)
                    processes[peer.process].ask(pairs=pairs["natural"][:2], max_length=512, batch=peer.batch)
                for name, texts in pairs.items():
                    if name != "natural" and peer not in main:
                        continue  # the best setting of each is enough where all texts are of one length
                    told = processes[peer.process].ask(pairs=texts, max_length=max_length(name), batch=peer.batch)
                    seconds.setdefault((peer.label, name), []).append(told["seconds"])
                    logits[peer.label, name] = told["logits"]
                    print(f"  {turn + 1}/{rounds} {peer.label}, {name}: {told['seconds']:.2f} s", flush=True)
            except RuntimeError as fault:
                faults[peer.label] = str(fault)
                processes.pop(peer.process, None)
            if not quick and peer.process in processes and _last(peer, peers):
                processes.pop(peer.process).close()  # all of them together do not fit into a small machine's memory
    for process in processes.values():
        process.close()
    return [entry for name, texts in pairs.items() for entry in _table(listed, name, len(texts), seconds, logits, faults)]


def _table(
    peers: list[Peer],
    mixed: str,
    count: int,
    seconds: dict[tuple[str, str], list[float]],
    logits: dict[tuple[str, str], list[float]],
    faults: dict[str, str],
) -> list[dict[str, Any]]:
    """One mix's entries; times and differences are against the first peer."""
    first = peers[0].label, mixed
    table = []
    for peer in peers:
        own = peer.label, mixed
        entry: dict[str, Any] = {"label": peer.label, "mix": mixed}
        if own in seconds and first in seconds:
            spent = statistics.median(seconds[own])
            entry |= {
                "seconds": spent,
                "times": statistics.median(seconds[first]) / spent,
                "pairs_per_s": count / spent,
                "difference": max(abs(a - b) for a, b in zip(logits[own], logits[first], strict=True)),
            }
        else:
            entry["fault"] = faults.get(peer.label, "not run" if mixed != "natural" else "the first way did not run")
        table.append(entry)
    return table


def _last(peer: Peer, peers: list[Peer]) -> bool:
    return [other for other in peers if other.process == peer.process][-1] is peer


def scaled_by(rates: dict[str, float]) -> tuple[float, str]:
    """What bounds that assume AMX are multiplied by on this processor, and why; 1 where it is as fast."""
    ratio = rates["16-bit"] / rates["fp32"] if "16-bit" in rates else 1.0
    scale = min(1.0, ratio / AMX_RATIO)
    here = f"16-bit products are {ratio:.1f} × fp32" if "16-bit" in rates else "there are no 16-bit products"
    return scale, f"bounds × {scale:.2f}: {here} here, {AMX_RATIO} × with AMX" if scale < 1 else ""


def cpu_rows(table: list[dict[str, Any]], rates: dict[str, float]) -> list[Row]:
    """The bounds of a processor. They assume AMX; elsewhere they are scaled by how much faster 16 bits are there."""
    natural = {entry["label"]: entry for entry in table if entry["mix"] == "natural" and "seconds" in entry}
    scale, scaled = scaled_by(rates)
    lacking = absent()
    used = "fp32" if "bf16" in lacking else "bf16"
    ours, flag = natural.get(f"es-rerank {used}"), natural.get("FlagEmbedding fp32, default batch")
    others = [entry for label, entry in natural.items() if used in label and not label.startswith("es-rerank")]
    best = min(others, key=lambda entry: float(entry["seconds"]), default=None)
    int8 = natural.get("OpenVINO int8 (SmoothQuant)")
    return [
        _against(f"CPU: {used} engine against FlagEmbedding fp32, natural mix", ours, flag, 16 * scale, 29 * scale, scaled),
        _against(
            f"CPU: {used} engine against the best other way in {used}",
            ours,
            best,
            1.2 if used == "bf16" else 1.0,
            1.7 if used == "bf16" else 1.2,
            f"best: {best['label']}" if best else "",
        ),
        Row(_INT8, None, note=lacking["int8"])
        if "int8" in lacking
        else _against(_INT8, int8, flag, 20 * scale, 30 * scale, scaled),
    ]


def cuda_rows(table: list[dict[str, Any]], rates: dict[str, float], useful_flop: float) -> list[Row]:
    """The bounds of a GPU; ``useful_flop`` is what the natural mix needs."""
    natural = {entry["label"]: entry for entry in table if entry["mix"] == "natural" and "seconds" in entry}
    ours, flag = natural.get("es-rerank fp16"), natural.get("FlagEmbedding fp16, default batch")
    encoders = [entry for label, entry in natural.items() if label.startswith("CrossEncoder")]
    best = min(encoders, key=lambda entry: float(entry["seconds"]), default=None)
    share = useful_flop / ours["seconds"] / 1e12 / rates["16-bit"] if ours else None
    return [
        Row("GPU: useful FLOP rate of the dense 16-bit rate, natural mix", share, 0.65, 0.75),
        _against("GPU: against CrossEncoder's best setting", ours, best, 3, 4, ""),
        _against("GPU: against FlagEmbedding fp16", ours, flag, 4, 8, ""),
    ]


def _against(
    name: str, ours: dict[str, Any] | None, theirs: dict[str, Any] | None, must: float, aim: float, note: str
) -> Row:
    if ours is None or theirs is None:
        return Row(name, None, must, aim, note=note or "one of the two did not run")
    return Row(name, theirs["seconds"] / ours["seconds"], must, aim, note=note)
