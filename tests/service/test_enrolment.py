"""Who takes part, and as what."""

from __future__ import annotations

import msgspec

from es_rerank.core.experiment import UnitSource
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.experiment.assignment import Assignment, hashed
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.ubi import Told
from es_rerank.service.enrolment import Enrolment
from tests.builders import call, policy, resolved
from tests.search.test_variants import BOTH, SNOW, running

ANN: Headers = ((b"x-user", b"ann"),)


def decided(
    base: IndexPolicy,
    asked: Headers = ANN,
    told: Told | None = None,
    variant: str | None = None,
    enrolment: Enrolment | None = None,
) -> RerankPlan | Passthrough:
    enrolment = enrolment or Enrolment(lambda: "fresh")
    return enrolment.decide(call(SNOW), resolved(base), Control(variant=variant), asked, told or Told())[1]


def assigned(*given: object, **more: object) -> Assignment:
    found = decided(*given, **more)  # type: ignore[arg-type]
    assert isinstance(found, RerankPlan)
    assert found.assignment is not None
    return found.assignment


def test_without_an_experiment() -> None:
    """A plain plan."""
    found = decided(policy())
    assert isinstance(found, RerankPlan)
    assert found.assignment is None


def test_split() -> None:
    """By the hash of the unit; the id is the client's own where it gives one."""
    found = assigned(running(**BOTH))
    assert (found.unit, found.query_id, found.forced) == (hashed("e", "ann"), "fresh", False)
    assert found.variant in {"control", "wide", "narrow"}
    assert assigned(running(**BOTH), ANN, Told("mine")).query_id == "mine"
    assert {assigned(running(**BOTH), ((b"x-user", b"%d" % n),)).variant for n in range(50)} == {"control", "wide", "narrow"}


def test_segments() -> None:
    """What the request says of itself goes along, whatever the mode."""
    for mode in ("split", "interleave", "shadow"):
        base = running(mode, **BOTH)
        assert base.experiment is not None
        told = msgspec.structs.replace(base.experiment, segments={"device": UnitSource(header="X-Device")})
        asked = (*ANN, (b"x-device", b"TV"))
        assert assigned(msgspec.structs.replace(base, experiment=told), asked).segments == {"device": "tv"}


def test_without_a_unit() -> None:
    """Outside the experiment, unless nobody needs one."""
    assert decided(running(**BOTH), ()) == Passthrough(Reason.NO_UNIT)
    assert decided(running("interleave", **BOTH), ()) == Passthrough(Reason.NO_UNIT)
    found = assigned(running("shadow", **BOTH), ())
    assert (found.unit, found.variant) == ("", "control")


def test_interleave() -> None:
    """Everybody is assigned all teams."""
    assert assigned(running("interleave", **BOTH)).variant == "control+narrow+wide"


def test_forced_and_stopped() -> None:
    """A debugging header beats the hash; the kill switch beats both; who is not eligible hears that first."""
    found = assigned(running(**BOTH), (), Told("mine"), "narrow")
    assert (found.variant, found.forced, found.query_id) == ("narrow", True, "fresh")
    base = running(**BOTH)
    assert base.experiment is not None
    stopped = msgspec.structs.replace(base, experiment=msgspec.structs.replace(base.experiment, stopped=True))
    assert decided(stopped, variant="narrow") == Passthrough(Reason.STOPPED)
    empty = Enrolment().decide(call({**SNOW, "size": 0}), resolved(stopped), Control(), ANN, Told())
    assert empty[1] == Passthrough(Reason.SIZE_ZERO)


def test_strata_are_worked_out_once_for_a_policy() -> None:
    """And anew for another one; there is no end to reloads, but to what is remembered."""
    enrolment = Enrolment(lambda: "fresh")
    base, other = running(**BOTH), running(weight=2.0, **BOTH)
    first = assigned(base, enrolment=enrolment).stratum
    assert assigned(base, enrolment=enrolment).stratum == first
    assert assigned(other, enrolment=enrolment).stratum != first
    for _ in range(1100):
        assigned(running(**BOTH), enrolment=enrolment)
    assert len(enrolment._strata) <= 1001


def test_ids_differ() -> None:
    """Each search has an id of its own."""
    enrolment = Enrolment()
    assert assigned(running(**BOTH), enrolment=enrolment).query_id != assigned(running(**BOTH), enrolment=enrolment).query_id
