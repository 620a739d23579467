"""The statistics held to account through the running proxy: a smaller run of what ``make bench-experiments`` proves at length.

Each experiment has an index of its own with the same documents, so one proxy carries all of them; units are assigned, records
written and clicks reported by the real thing. Users are simulated, with fixed seeds: they click more where the hit that the
model likes best is on the page.
"""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import msgspec
import pytest
from scipy import stats

from es_rerank.evaluation.experiment import analysed, by_unit
from es_rerank.evaluation.inference import ALPHA, SRM_ALPHA, Difference, difference, mismatch
from es_rerank.evaluation.outcomes import OUTCOMES
from es_rerank.evaluation.planning import power_of
from es_rerank.evaluation.records import Joined, Search, join
from tests.fakes import ShufflingBackend
from tests.real.engines import Engine
from tests.running import proxy
from tests.wire import ask

EXPERIMENTS = 20
UNITS = 120
WITHOUT, WITH = 0.3, 0.5
"""How likely a search is clicked, by whether the best hit is among the three that are shown."""

TITLES = [" ".join(["snow"] * (20 - place) + ["ice"] * place) for place in range(20)]
"""Equally long, so that Elasticsearch orders them as they stand here."""

POLICY = """
indices: [NAME]
passage: {fields: [title]}
rank_window_size: WINDOW
timeout_ms: 3000
experiment:
  id: NAME
  unit: {header: X-User}
  variants: {control: {weight: 50}, rerank: {weight: 50}}
  exposures: {file: FILE}
"""


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Search]]:
    """Experiments ``aa-N``, whose window of one changes nothing, and ``ab-N``, by name: their searches with clicks."""
    folder = tmp_path_factory.mktemp("proofs")
    records, events = folder / "records.jsonl", folder / "events.jsonl"
    names = [f"{kind}-{number}" for kind in ("aa", "ab") for number in range(EXPERIMENTS)]
    windows = {"aa": "1", "ab": "20"}
    policies = {
        f"{name}.yaml": POLICY.replace("NAME", name).replace("FILE", str(records)).replace("WINDOW", windows[name[:2]])
        for name in names
    }
    engine = Engine("embedded").launch().wait()
    lines = b"".join(
        json.dumps({"index": {"_index": name, "_id": str(document)}}).encode()
        + b"\n"
        + json.dumps({"title": title}).encode()
        + b"\n"
        for name in names
        for document, title in enumerate(TITLES)
    )
    assert not ask(engine.url, "POST", "/_bulk?refresh=true", lines, {"Content-Type": "application/x-ndjson"}).json()[
        "errors"
    ]
    own: dict[str, Any] = {"events": "127.0.0.1:0", "events_index": "", "events_file": events, "events_per_minute": 10**6}
    with proxy(engine.url, ShufflingBackend(), policies, **own) as running, httpx.Client(timeout=60) as client:
        body = {"query": {"match": {"title": "snow"}}, "size": 3}
        logits = ShufflingBackend().score([("snow", title) for title in TITLES], 512)
        best = str(logits.index(max(logits)))
        assert int(best) > 3, "the model's favourite has to stand below the page in Elasticsearch's order"
        for name in names:
            chance = random.Random(name)
            for unit in range(UNITS):
                got = client.post(f"{running.url}/{name}/_search", json=body, headers={"X-User": f"{name} {unit}"})
                ids = [hit["_id"] for hit in got.json()["hits"]["hits"]]
                if chance.random() < (WITH if best in ids else WITHOUT):
                    about = {"object": {"object_id": best if best in ids else ids[0]}}
                    told = {"action_name": "click", "query_id": got.headers["x-rerank-query-id"], "event_attributes": about}
                    assert client.post(f"{running.events}/events", json=told).status_code == 200
    engine.stop()
    written, clicked = ([json.loads(line) for line in path.read_text().splitlines()] for path in (records, events))
    return {name: join(written, clicked, name).searches for name in names}


def compared(searches: list[Search]) -> Difference:
    """The main measure of one experiment, with its assignment looked at first."""
    sides = [[one for one in searches if one.variant == name] for name in ("control", "rerank")]
    assert sum(map(len, sides)) == len({one.unit for one in searches}) == UNITS
    assert mismatch({"control": len(sides[0]), "rerank": len(sides[1])}, searches[0].weights) > SRM_ALPHA
    assert all(one.served == one.variant for one in searches)
    return difference(by_unit(OUTCOMES[0], sides[0]), by_unit(OUTCOMES[0], sides[1]))


def test_without_a_difference(joined: dict[str, list[Search]]) -> None:
    """False alarms as often as they may come: the 99 % binomial interval of 5 %; of the always-valid kind hardly ever."""
    rows = [compared(searches) for name, searches in joined.items() if name.startswith("aa")]
    assert sum(row.p < ALPHA for row in rows) <= stats.binom.ppf(0.995, EXPERIMENTS, ALPHA)
    assert sum(row.always_low > 0 or row.always_high < 0 for row in rows) <= 1


def test_with_a_difference(joined: dict[str, list[Search]]) -> None:
    """It is found as often as ``plan`` says, within the 99 % binomial interval, and never the wrong way round."""
    rows = [compared(searches) for name, searches in joined.items() if name.startswith("ab")]
    wins = sum(row.p < ALPHA and row.change > 0 for row in rows)
    assert not any(row.p < ALPHA and row.change < 0 for row in rows)
    power = power_of((WITHOUT * (1 - WITHOUT) + WITH * (1 - WITH)) / 2, WITH - WITHOUT, UNITS // 2)
    low, high = stats.binom.ppf([0.005, 0.995], EXPERIMENTS, power)
    assert low <= wins <= high, (wins, power)
    assert sum(row.change for row in rows) / len(rows) == pytest.approx(WITH - WITHOUT, abs=0.07)


def test_records_that_are_lost_on_one_side(joined: dict[str, list[Search]]) -> None:
    """Stop the report: a third of the treated units of all experiments together is missing."""
    every = [one for name, searches in joined.items() if name.startswith("ab") for one in searches]
    lost = [
        msgspec.structs.replace(one, stratum="all")
        for place, one in enumerate(every)
        if one.variant == "control" or place % 3
    ]
    assert "sample-ratio mismatch" in analysed("all", "split", Joined(lost, {})).strata[0].stopped
