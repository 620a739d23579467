"""The same eligibility for every variant, and the plan of the one that is assigned."""

from __future__ import annotations

from typing import Any

import pytest

from es_rerank.core.experiment import ExperimentPolicy, Mode, UnitSource, VariantPolicy
from es_rerank.core.policy import IndexPolicy, PassagePolicy, QueryPolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.experiment.assignment import Assignment
from es_rerank.search import variants
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from tests.builders import call, policy, resolved

SNOW = {"query": {"match": {"title": "snow"}}}


def running(mode: Mode = "split", weight: float = 1.0, **others: IndexPolicy) -> IndexPolicy:
    """A policy with an experiment of control and the given variants, of equal weight."""
    weights = {name: VariantPolicy(weight=weight) for name in ("control", *others)}
    chosen = ExperimentPolicy(id="e", mode=mode, variants=weights, unit=UnitSource(header="X-User"))
    return policy(experiment=chosen, variants=others)


def plans_of(base: IndexPolicy, body: dict[str, Any]) -> variants.Plans | Passthrough:
    return variants.eligible(call({**SNOW, **body}), resolved(base), Control())[1]


def given(base: IndexPolicy, variant: str, *, forced: bool = False) -> Assignment:
    assert base.experiment is not None
    return Assignment(base.experiment, "q", "u", variant, "s", forced)


def planned(base: IndexPolicy, variant: str, body: dict[str, Any] | None = None, *, forced: bool = False) -> RerankPlan:
    plans = plans_of(base, body or {})
    assert not isinstance(plans, Passthrough)
    return variants.assigned(plans, given(base, variant, forced=forced))


BOTH: dict[str, Any] = {"wide": policy(rank_window_size=60), "narrow": policy(rank_window_size=20)}


def test_each_variant_has_its_own_plan() -> None:
    """Of its own policy; control has none."""
    plans = plans_of(running(**BOTH), {})
    assert isinstance(plans, dict)
    assert {name: (plan.window, plan.policy) for name, plan in plans.items()} == {
        "wide": (60, BOTH["wide"]),
        "narrow": (20, BOTH["narrow"]),
    }


def test_the_first_objection_counts_for_all() -> None:
    """A search that one variant would leave alone takes no part, under any."""
    picky = policy(query=QueryPolicy(ignore_fields=("title",)))
    assert plans_of(running(plain=policy(), picky=picky), {}) == Passthrough(Reason.NO_QUERY_TEXT)
    assert plans_of(running(**BOTH), {"size": 0}) == Passthrough(Reason.SIZE_ZERO)


@pytest.mark.parametrize(("start", "taking_part"), [(10, True), (40, True), (60, False)])
def test_pages_reach_as_far_as_the_widest_window(start: int, taking_part: bool) -> None:
    """Whatever the variant: behind its own window a narrow one has Elasticsearch's order."""
    plans = plans_of(running(**BOTH), {"from": start})
    assert isinstance(plans, dict) is taking_part
    if isinstance(plans, dict):
        assert plans["narrow"].upstream_size == max(20, start + 10)


def test_what_is_raw() -> None:
    """Control, and everybody in shadow mode, unless a debugging header chose."""
    base, shadow = running(**BOTH), running("shadow", **BOTH)
    assert variants.is_raw(planned(base, "control"))
    assert not variants.is_raw(planned(base, "narrow"))
    assert variants.is_raw(planned(shadow, "control"))
    assert not variants.is_raw(planned(shadow, "wide", forced=True))
    assert planned(shadow, "control").policy is BOTH["narrow"]
    plain = variants.outside(resolved(base))
    assert plain.lead.experiment is None
    assert plain.policies == (plain.lead,)


def test_teams() -> None:
    """The widest search, the fields of all of them; who has no weight drafts nothing; a forced one is alone."""
    reads = policy(rank_window_size=30, passage=PassagePolicy(fields=("text",)))
    base = running("interleave", titled=policy(rank_window_size=20), reads=reads)
    found = planned(base, "control+reads+titled", {"_source": False, "size": 40})
    assert (found.window, found.upstream_size, list(found.teams)) == (30, 40, ["titled", "reads"])
    assert found.added_fields == ("title", "text")
    assert [team.window for team in found.teams.values()] == [20, 30]
    assert planned(base, "reads", forced=True).teams == {}


def test_a_variants_policy_reads_its_own_texts() -> None:
    """Hits of the index are read as the variant says."""
    reads = policy(passage=PassagePolicy(fields=("text",)))
    found = variants.under(resolved(running(reads=reads)), "reads")
    passage = found.passage_for("books")
    assert passage is not None
    assert passage.fields == ("text",)
