"""Devices and precisions."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from es_rerank.errors import ModelLoadError  # noqa: E402
from es_rerank.scoring.engine import device  # noqa: E402  needs torch

pytestmark = pytest.mark.model


def test_devices_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Auto means the CPU; CUDA is refused with the remedy."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device.devices("auto") == [torch.device("cpu")]
    for wanted in ("cuda", "cuda:all", "cuda:1"):
        with pytest.raises(ModelLoadError, match="--device cpu"):
            device.devices(wanted)
    with pytest.raises(ModelLoadError, match="is not known"):
        device.devices("tpu9")


def test_devices_with_two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first, one by number, a list, or all."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    names = [
        [str(found) for found in device.devices(wanted)]
        for wanted in ("auto", "cuda", "cuda:1", "cuda:0,cuda:1", "cuda:all")
    ]
    assert names == [["cuda:0"], ["cuda:0"], ["cuda:1"], ["cuda:0", "cuda:1"], ["cuda:0", "cuda:1"]]
    with pytest.raises(ModelLoadError, match="torch sees 2 CUDA devices"):
        device.devices("cuda:2")


@pytest.mark.parametrize(("fast", "expected"), [(True, "bf16"), (False, "fp32")])
def test_precision_of_a_cpu(fast: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """bf16 where it is multiplied in hardware."""
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    cpu = torch.device("cpu")
    assert device.precision_for(cpu, "auto") == expected
    assert device.precision_for(cpu, "fp32") == "fp32"
    for wanted in ("fp16", "fp8"):
        with pytest.raises(ModelLoadError, match="auto"):
            device.precision_for(cpu, wanted)


def test_precision_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """fp16; fp8 from compute capability 8.9 on."""
    gpu = torch.device("cuda:0")
    assert device.precision_for(gpu, "auto") == "fp16"
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda _: (9, 0))
    assert device.precision_for(gpu, "fp8") == "fp8"
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda _: (8, 0))
    with pytest.raises(ModelLoadError, match="compute capability"):
        device.precision_for(gpu, "fp8")
