"""The peers, their environments, and their processes."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import msgspec

from bench.engine.texts import ROOT

PLACE = ROOT / ".bench"


class Peer(msgspec.Struct, frozen=True):
    """A way to run the model. ``batch`` counts pairs for other libraries, tokens for ours and OpenVINO's.

    ``quick``: part of a quick run; ``instead``: part of it where the processor has no bf16 products.
    """

    label: str
    kind: str
    precision: str
    batch: int
    packages: tuple[str, ...] = ()
    quick: bool = False
    instead: bool = False
    ours: bool = False

    @property
    def process(self) -> tuple[str, str]:
        """Peers that differ in batch only share a process."""
        return self.kind, self.precision


CPU = (
    Peer("FlagEmbedding fp32, default batch", "flag", "fp32", 128, quick=True),
    Peer("FlagEmbedding fp32, batch 8", "flag", "fp32", 8),
    Peer("CrossEncoder fp32, batch 32", "crossencoder", "fp32", 32),
    Peer("CrossEncoder fp32, batch 8", "crossencoder", "fp32", 8, instead=True),
    Peer("CrossEncoder bf16, batch 32", "crossencoder", "bf16", 32),
    Peer("CrossEncoder bf16, batch 8", "crossencoder", "bf16", 8),
    Peer("CrossEncoder bf16, batch 4", "crossencoder", "bf16", 4, quick=True),
    Peer("ONNX Runtime fp32", "onnxruntime", "fp32", 4096, ("onnxruntime", "onnxscript")),
    Peer("OpenVINO fp32", "openvino", "fp32", 4096, ("openvino", "nncf"), instead=True),
    Peer("OpenVINO bf16", "openvino", "bf16", 4096, ("openvino", "nncf"), quick=True),
    Peer("OpenVINO int8 (SmoothQuant)", "openvino", "int8", 4096, ("openvino", "nncf"), quick=True),
    Peer("es-rerank fp32", "engine", "fp32", 4096, instead=True, ours=True),
    Peer("es-rerank bf16", "engine", "bf16", 4096, quick=True, ours=True),
)
CUDA = (
    Peer("FlagEmbedding fp16, default batch", "flag", "fp16", 128, quick=True),
    Peer("CrossEncoder bf16, batch 32", "crossencoder", "bf16", 32, quick=True),
    Peer("CrossEncoder bf16, batch 128", "crossencoder", "bf16", 128, quick=True),
    Peer("es-rerank bf16", "engine", "bf16", 16_384, ours=True),
    Peer("es-rerank fp8", "engine", "fp8", 16_384, ours=True),
    Peer("es-rerank fp16", "engine", "fp16", 16_384, quick=True, ours=True),
)


def environment(name: str, packages: tuple[str, ...], *, alone: bool = False) -> Path | str:
    """The Python of a virtual environment of its own; or why it cannot be had.

    It sees the packages of this one (torch is 3 GB) behind its own, unless it is to be ``alone``.
    """
    folder = PLACE / name
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        site = next(folder.glob("lib/python*/site-packages"))
        if not alone:
            (site / "shared.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")))
        if packages:
            command = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
            done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
            if done.returncode:
                return f"cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}"
        (folder / ".ready").touch()
    return python


class Process:
    """A worker."""

    def __init__(self, kind: str, model: str, precision: str, packages: tuple[str, ...] = ()) -> None:
        """Start it and wait until it is ready; raises RuntimeError with its last words."""
        python = environment(kind, packages)
        if isinstance(python, str):
            raise RuntimeError(python)  # noqa: TRY004  a reason, no mistake
        self._log = (PLACE / f"{kind}-{precision}.log").open("w+")
        command = [str(python), str(Path(__file__).with_name("worker.py")), kind, model, precision]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, cwd=ROOT
        )
        self._answer()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """One question; raises RuntimeError."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            words = self._log.read().strip().splitlines() or ["without a word"]
            raise RuntimeError(f"ended: {words[-1][:300]}")
        found: dict[str, Any] = json.loads(line)
        return found
