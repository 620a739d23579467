"""Which device the model runs on, and in which precision.

``auto`` precision: fp16 on CUDA, bf16 on a CPU that multiplies it (AMX or AVX512-BF16), fp32 elsewhere.
"""

from __future__ import annotations

import torch

from es_rerank.core.ports import Precision
from es_rerank.errors import ModelLoadError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def devices(wanted: str) -> list[torch.device]:
    """``auto``, ``cpu``, ``cuda`` (the first), ``cuda:1``, ``cuda:0,cuda:1`` or ``cuda:all``; raises ModelLoadError."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return [torch.device("cuda:0" if count else "cpu")]
    names = ",".join(f"cuda:{place}" for place in range(max(count, 1))) if wanted == "cuda:all" else wanted
    found = []
    for name in names.split(","):
        try:
            device = torch.device("cuda:0" if name.strip() == "cuda" else name.strip())
        except RuntimeError as exc:
            msg = f"device {name!r} is not known; use auto, cpu, cuda, cuda:1, cuda:0,cuda:1 or cuda:all"
            raise ModelLoadError(msg) from exc
        if device.type == "cuda" and (device.index or 0) >= count:
            msg = f"device {name} was asked for, but torch sees {count or 'no'} CUDA device{'s'[: count != 1]}"
            raise ModelLoadError(f"{msg}; use --device cpu or mend the driver")
        found.append(device)
    return found


def has_fast_bf16() -> bool:
    """Whether this CPU has instructions that multiply bf16."""
    asked = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(ask() for ask in asked if ask is not None)


def precision_for(device: torch.device, wanted: Precision) -> Precision:
    """The precision to use; raises ModelLoadError for one that the device lacks."""
    if wanted == "auto":
        return "fp16" if device.type == "cuda" else "bf16" if has_fast_bf16() else "fp32"
    if wanted == "int8":
        msg = "precision int8 is OpenVINO's; use --scorer openvino, or auto"
        raise ModelLoadError(msg)
    if wanted == "fp8" and (device.type != "cuda" or torch.cuda.get_device_capability(device) < (8, 9)):
        msg = f"precision fp8 needs a GPU of compute capability 8.9 or newer (Ada, Hopper), not {device}; use auto"
        raise ModelLoadError(msg)
    if wanted == "fp16" and device.type == "cpu":
        msg = "precision fp16 is for GPUs; on a CPU use auto, bf16 or fp32"
        raise ModelLoadError(msg)
    return wanted
