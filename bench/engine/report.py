"""Rows and what is written of them: Markdown, JSON, a plot."""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from bench.engine.texts import ROOT


class Row(msgspec.Struct, frozen=True):
    """One figure. ``must`` and ``aim`` are bounds (``most``: from above); None: none, or it does not apply here."""

    name: str
    value: float | None
    must: float | None = None
    aim: float | None = None
    most: bool = False
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the must holds; None: there is none that applies."""
        return None if self.must is None else self._within(self.must)

    def _within(self, bound: float) -> bool:
        if self.value is None:
            return False
        return self.value <= bound if self.most else self.value >= bound

    def markdown(self) -> str:
        """A line of the table."""
        sign = "≤" if self.most else "≥"
        bounds = [f"{sign} {bound:.4g}" if bound is not None else "–" for bound in (self.must, self.aim)]
        verdict = {None: "–", True: "yes", False: "**no**"}[self.holds]
        if self.aim is not None and self._within(self.aim):
            verdict = "aim"
        value = "–" if self.value is None else f"{self.value:.4g}"
        return f"| {self.name} | {value} | {bounds[0]} | {bounds[1]} | {verdict} | {self.note} |"


def machine() -> dict[str, Any]:
    """What it was measured on."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    flags = Path("/proc/cpuinfo").read_text()
    known = [name for name in ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx2") if name in flags]
    packages = (
        "torch",
        "transformers",
        "tokenizers",
        "FlagEmbedding",
        "sentence-transformers",
        "onnxruntime",
        "openvino",
        "nncf",
    )
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT, check=False)
    import os

    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": done.stdout.strip(),
        "processor": f"{len(os.sched_getaffinity(0))} cores of {cpu} ({', '.join(known)})",
        "python": platform.python_version(),
        "packages": versions,
    }


def write(name: str, told: dict[str, Any], table: list[dict[str, Any]], rows: list[Row]) -> str:
    """Keep the run under ``bench/results/`` and give its Markdown."""
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    entries = [msgspec.to_builtins(row) | {"holds": row.holds} for row in rows]
    (folder / f"{name}.json").write_text(
        json.dumps({"machine": told, "table": table, "rows": entries}, indent=1, ensure_ascii=False) + "\n"
    )
    versions = ", ".join(f"{package} {version}" for package, version in told["packages"].items())
    lines = [
        f"# Engine bench: {name}",
        "",
        f"{told['when']}, commit {told['commit']}, {told['processor']}, {told.get('matmul', '')}; Python {told['python']}, {versions}.",
        "",
        "| what | value | must | aim | holds | note |",
        "| --- | --- | --- | --- | --- | --- |",
        *(row.markdown() for row in rows),
        "",
        "| way | mix | seconds | × the first | pairs/s | greatest difference of a logit |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {entry['label']} | {entry['mix']} | "
            + (
                f"{entry['seconds']:.3f} | {entry['times']:.2f} | {entry['pairs_per_s']:.1f} | {entry['difference']:.1e} |"
                if "seconds" in entry
                else f"– | – | – | {entry['fault']} |"
            )
            for entry in table
        ),
        "",
        f"![{name}]({name}.svg)",
        "",
    ]
    (folder / f"{name}.md").write_text("\n".join(lines))
    _plot(folder / f"{name}.svg", [entry for entry in table if entry["mix"] == "natural" and "seconds" in entry])
    return "\n".join(lines)


def _plot(path: Path, table: list[dict[str, Any]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "es-rerank"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.42 * len(table) + 1.2))
    table = sorted(table, key=lambda entry: entry["pairs_per_s"])
    colours = ["#1f6feb" if entry["label"].startswith("es-rerank") else "#9aa4b2" for entry in table]
    bars = axes.barh([entry["label"] for entry in table], [entry["pairs_per_s"] for entry in table], color=colours)
    axes.bar_label(
        bars, labels=[f"{entry['pairs_per_s']:.1f} ({entry['times']:.1f}×)" for entry in table], padding=4, fontsize=8
    )
    axes.set_xlabel("pairs per second, natural mix")
    axes.margins(x=0.18)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
