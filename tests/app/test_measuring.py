"""Statistics in a process of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec

from es_rerank.app.measuring import Measured, Measurements, measured
from es_rerank.config.settings import Settings
from tests.app.test_recorded import settings
from tests.evaluation.test_records import record


def of(folder: Path) -> Settings:
    found = settings(folder)
    told = [
        record(f"{variant}{n}", f"{variant}{n}", n % 60, variant) for n in range(40) for variant in ("control", "rerank")
    ]
    for one in told:
        one["query_attributes"] |= {"experiment": "books-1", "weights": {"control": 1, "rerank": 1}}
    (folder / "records.jsonl").write_text("\n".join(map(json.dumps, told)) + "\n")
    return found


def test_an_analysis_and_its_page(tmp_path: Path) -> None:
    """Or why there is none."""
    found = msgspec.msgpack.decode(measured(of(tmp_path), "books-1"), type=Measured)
    assert found.analysis is not None
    assert (found.analysis.strata[0].searches, found.fault) == (80, "")
    assert "<svg" in found.page
    (tmp_path / "records.jsonl").unlink()
    assert "cannot be read" in msgspec.msgpack.decode(measured(of_nothing(tmp_path), "books-1"), type=Measured).fault


def of_nothing(folder: Path) -> Settings:
    return Settings(config=folder, events_index="")


async def test_a_process_of_its_own(tmp_path: Path) -> None:
    """Begun once, kept until it is measured again; two experiments wait for each other."""
    measurements = Measurements(of(tmp_path))
    assert measurements.last("books-1") is None
    for name in ("books-1", "books-1", "films"):
        measurements.begin(name)
    assert measurements.busy("books-1")
    while measurements.busy("books-1") or measurements.busy("films"):
        await asyncio.sleep(0.02)
    found, other = measurements.last("books-1"), measurements.last("films")
    assert found is not None
    assert found.analysis is not None
    assert found.analysis.strata[0].units == 80
    assert other is not None
    assert "there are: books-1" in other.fault
    measurements.begin("books-1")
    await asyncio.sleep(0)
    await measurements.close()
    assert not measurements.busy("books-1")
