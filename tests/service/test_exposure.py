"""What is recorded of a search, whichever way its answer took."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from es_rerank.core.experiment import ExposurePolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.search import answer as answers
from es_rerank.search.fusion import Ranked
from es_rerank.service.exposure import Exposures
from es_rerank.service.served import Part, Served, ServedMany
from tests.builders import answer, hit
from tests.builders import planned as plain
from tests.search.test_variants import BOTH, planned, running

ANSWER = answer([hit(name, score) for name, score in (("a", 3.0), ("b", 2.0), ("c", 1.0))])
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
REQUEST = UpstreamRequest("POST", b"/books/_search", (), b"{}")


class Kept:
    """A log that keeps documents."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []

    def record(self, sink: ExposurePolicy, identity: str, document: bytes) -> None:
        self.documents.append(json.loads(document))
        assert self.documents[-1]["query_id"] == identity


class FakeShadow:
    """Gives what it was told."""

    def __init__(self, found: Served | None = None, *, free: bool = True) -> None:
        self.found = found
        self.free = free
        self.asked: list[UpstreamRequest] = []

    async def rerank(self, request: UpstreamRequest, served: Served) -> Served | None:
        self.asked.append(request)
        return self.found


def exposures(shadow: FakeShadow | None = None) -> tuple[Exposures, Kept]:
    kept = Kept()
    return Exposures(kept, shadow or FakeShadow(), lambda: AT), kept  # type: ignore[arg-type]


def raw(mode: str = "split", **body: Any) -> Served:
    plan = planned(running(mode, **BOTH), "control", body)  # type: ignore[arg-type]
    return Served(Disposition(Outcome.PASSED_THROUGH, Reason.CONTROL), plan=plan)


def many(*served: Served) -> ServedMany:
    return ServedMany(tuple(Part("books", "books*", one) for one in served))


def recorded(served: ServedMany, body: bytes | None = None, **lines: str) -> list[dict[str, Any]]:
    found, kept = exposures()
    coded = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in lines.items())
    found.record(served, REQUEST, 200, 0.25, body, coded)
    return kept.documents


def test_only_what_belongs_to_an_experiment() -> None:
    """And was not chosen by a debugging header."""
    forced = Served(Disposition(Outcome.RERANKED), plan=planned(running(**BOTH), "wide", forced=True))
    without = Served(Disposition(Outcome.RERANKED), plan=plain())
    left = Served(Disposition(Outcome.PASSED_THROUGH, Reason.SORT))
    assert recorded(many(forced, without, left)) == []
    assert not Exposures.wanted(many(forced, without, left))
    assert Exposures.wanted(many(left, raw()))


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_control(coding: str) -> None:
    """Ids, places and total are read from the answer that went through, in whatever coding."""
    body = gzip.compress(ANSWER) if coding == "gzip" else ANSWER
    lines = {"content_encoding": "gzip"} if coding == "gzip" else {}
    start: dict[str, Any] = {"from": 10}
    (one,) = recorded(many(raw("split", **start)), body, **lines)
    assert one["query_response_hit_ids"] == ["a", "b", "c"]
    told = one["query_attributes"]
    assert (told["ranks"], told["total"], told["latency_ms"]) == ({"control": [11, 12, 13]}, 3, 250)
    assert "difference" not in told


@pytest.mark.parametrize("body", [None, b"<html>", b'{"error":{}}', b"\x1f\x8bodd"])
def test_an_answer_that_cannot_be_read(body: bytes | None) -> None:
    """Too long, or no search answer: recorded without hits."""
    (one,) = recorded(many(raw()), body, content_encoding="gzip" if body and body[:1] == b"\x1f" else "identity")
    assert one["query_response_hit_ids"] == []


@pytest.mark.parametrize(("total", "told"), [(7, 7), ({"value": 7, "relation": "gte"}, 7), (None, None)])
def test_totals(total: Any, told: int | None) -> None:
    """A number, an object, or none where the client wanted none."""
    whole = json.loads(ANSWER)
    whole["hits"].pop("total") if total is None else whole["hits"].update(total=total)
    (one,) = recorded(many(raw()), json.dumps(whole).encode())
    assert one["query_attributes"].get("total") == told


def reranked(variant: str = "wide", **more: Any) -> Served:
    plan = planned(running(**BOTH), variant, {"from": 1, "size": 2})
    order = [Ranked(2, 3.0, 2.0), Ranked(0, 2.0, 1.0), Ranked(1, 1.0, 0.0)]
    disposition = Disposition(Outcome.RERANKED, None, 3, 3)
    return Served(disposition, plan=plan, stage=answers.read(ANSWER), order=order, **more)


def test_reranked() -> None:
    """The page, with each hit's place under both orders, and how far these are apart."""
    (one,) = recorded(many(reranked()))
    assert one["query_response_hit_ids"] == ["a", "b"]
    assert one["query_attributes"]["ranks"] == {"control": [1, 2], "wide": [2, 3]}
    assert one["query_attributes"]["difference"]["displacement"] == pytest.approx(4 / 3)


def test_fell_back() -> None:
    """Elasticsearch's order only, and no difference."""
    plan = planned(running(**BOTH), "wide")
    fallen = Served(
        Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, 3, 0),
        plan=plan,
        stage=answers.read(ANSWER),
        order=[Ranked(place) for place in range(3)],
    )
    (one,) = recorded(many(fallen))
    assert one["query_attributes"]["ranks"] == {"control": [1, 2, 3]}
    assert one["query_attributes"]["served"] == "control"


def test_interleaved() -> None:
    """Who drafted each place, and each team's own rank of it; 0: that team does not hold it."""
    teams = {"control": [0, 1, 2], "wide": [2, 0]}
    (one,) = recorded(many(reranked(teams=teams, drafted={2: "wide", 0: "control"})))
    told = one["query_attributes"]
    assert told["teams"] == ["control", ""]
    assert told["ranks"] == {"control": [1, 2], "wide": [2, 0]}
    assert "difference" not in told


def test_items_of_many() -> None:
    """Each has its own piece of the answer: of one that went through, or kept beside a rewritten one."""
    body = b'{"took":1,"responses":[' + ANSWER + b',{"status":404},' + ANSWER + b"]}"
    found = recorded(many(raw(), Served(Disposition(Outcome.PASSED_THROUGH, Reason.SORT)), raw()), body)
    assert [one["query_response_hit_ids"] for one in found] == [["a", "b", "c"]] * 2
    beside = Served(Disposition(Outcome.PASSED_THROUGH, Reason.CONTROL), plan=raw().plan, raw=ANSWER)
    assert recorded(many(beside))[0]["query_response_hit_ids"] == ["a", "b", "c"]


def in_shadow(sample: float) -> Served:
    served = raw("shadow")
    given = served.plan.assignment if served.plan else None
    assert served.plan is not None
    assert given is not None
    sampled = msgspec.structs.replace(given.experiment, sample=sample)
    plan = msgspec.structs.replace(served.plan, assignment=msgspec.structs.replace(given, experiment=sampled))
    return msgspec.structs.replace(served, plan=plan)


@pytest.mark.parametrize(("sample", "free", "compared"), [(1.0, True, True), (0.0, True, False), (1.0, False, False)])
async def test_shadow(sample: float, free: bool, compared: bool) -> None:
    """A sampled search is compared once the client has its answer; the record says what the model would have done."""
    shadow = FakeShadow(reranked(), free=free)
    found, kept = exposures(shadow)
    found.record(many(in_shadow(sample)), REQUEST, 200, 0.1, ANSWER, ())
    await found.settled()
    (one,) = kept.documents
    told = one["query_attributes"]
    assert shadow.asked == ([REQUEST] if compared else [])
    assert ("difference" in told) is compared
    assert (told["served"], told["variant"], told["ranks"]) == ("control", "control", {"control": [1, 2, 3]})
    assert told.get("window") == (3 if compared else None)


MANY = b'{"index":"books","routing":"a"}\n{"query":{"match":{"title":"snow"}}}\n{}\n{"size":0}\n'


def of_many(served: Served) -> Served:
    assert served.plan is not None
    call = served.plan.call
    there = msgspec.structs.replace(call.route, endpoint="msearch")
    plan = msgspec.structs.replace(served.plan, call=msgspec.structs.replace(call, route=there))
    return msgspec.structs.replace(served, plan=plan, raw=ANSWER)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (MANY, [b"/books/_search?routing=a"]),
        (b"\n", []),
        (MANY * 2, []),
    ],
)
async def test_shadow_of_many(body: bytes, asked: list[bytes]) -> None:
    """An item is asked by itself; where the request cannot be read as its items, nothing is compared."""
    shadow = FakeShadow(reranked())
    found, kept = exposures(shadow)
    left = Served(Disposition(Outcome.PASSED_THROUGH, Reason.SIZE_ZERO))
    request = UpstreamRequest("POST", b"/_msearch", (), body)
    found.record(many(of_many(in_shadow(1.0)), left), request, 200, 0.1, None, ())
    await found.settled()
    assert [one.target for one in shadow.asked] == asked
    assert len(kept.documents) == 1
    assert ("difference" in kept.documents[0]["query_attributes"]) is bool(asked)


async def test_a_shadow_that_came_to_nothing() -> None:
    """Recorded without a difference; why is said where it is known."""
    fallen = Served(Disposition(Outcome.FELL_BACK, Reason.TIMEOUT, 3, 0), plan=plain())
    for beside, reason in ((None, "control"), (fallen, "timeout")):
        found, kept = exposures(FakeShadow(beside))
        found.record(many(in_shadow(1.0)), REQUEST, 200, 0.1, ANSWER, ())
        await found.settled()
        assert kept.documents[0]["query_attributes"]["reason"] == reason
        assert "difference" not in kept.documents[0]["query_attributes"]
