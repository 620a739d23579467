"""One search under an experiment: may it be reranked under every variant, and what is done under the one that it gets.

Eligibility comes first and is the same for all: a search that any variant would have to leave alone is left alone under
all of them, before anybody is assigned. Does not assign.
"""

from __future__ import annotations

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.core.reasons import Passthrough
from es_rerank.core.resolve import Resolved
from es_rerank.experiment.assignment import Assignment
from es_rerank.search import syntax
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.request import SearchCall
from es_rerank.search.syntax import Translation

Plans = dict[str, RerankPlan]
"""A plan for each variant but control."""


def eligible(
    call: SearchCall | Passthrough, resolved: Resolved, control: Control | Passthrough
) -> tuple[Translation | None, Plans | Passthrough]:
    """Plan the search under every variant; the first objection counts for all.

    A page is looked at as far as the widest window reaches, so that pages of one search never differ in this.
    """
    reach = max(policy.rank_window_size for policy in resolved.lead.variants.values())
    plans: Plans = {}
    translated: Translation | None = None
    for name in resolved.lead.variants:
        translated, planned = syntax.decide(call, under(resolved, name), control, reach)
        if isinstance(planned, Passthrough):
            return translated, planned
        plans[name] = planned
    return translated, plans


def under(resolved: Resolved, variant: str) -> Resolved:
    """What an expression resolves to where a variant's policy stands in for its own."""
    base, policy = resolved.lead, resolved.lead.variants[variant]
    return msgspec.structs.replace(
        resolved,
        lead=policy,
        policies=tuple(policy if other is base else other for other in resolved.policies),
        known=tuple(policy if other is base else other for other in resolved.known),
    )


def outside(resolved: Resolved) -> Resolved:
    """The same as if there were no experiment."""
    base, policy = resolved.lead, msgspec.structs.replace(resolved.lead, experiment=None, variants={})
    return msgspec.structs.replace(
        resolved, lead=policy, policies=tuple(policy if other is base else other for other in resolved.policies)
    )


def assigned(plans: Plans, assignment: Assignment) -> RerankPlan:
    """The plan of what was assigned; of control, one that asks for nothing more than the client does."""
    if assignment.mode == "interleave" and not assignment.forced:
        return _interleaved(plans, assignment)
    planned = plans.get(assignment.variant) or plans[assignment.experiment.challenger]
    return msgspec.structs.replace(planned, assignment=assignment)


def is_raw(planned: RerankPlan) -> bool:
    """Whether the client gets Elasticsearch's own answer to its own request."""
    given = planned.assignment
    return given is not None and (given.variant == CONTROL or (given.mode == "shadow" and not given.forced))


def _interleaved(plans: Plans, assignment: Assignment) -> RerankPlan:
    """One wide search that serves every team: the widest of them, with the fields that any of them reads."""
    weights = assignment.experiment.weights
    teams = {name: planned for name, planned in plans.items() if weights[name] > 0}
    widest = max(teams.values(), key=lambda planned: planned.window)
    added = tuple(dict.fromkeys(field for planned in teams.values() for field in planned.added_fields))
    size = max(planned.upstream_size for planned in teams.values())
    return msgspec.structs.replace(widest, upstream_size=size, added_fields=added, teams=teams, assignment=assignment)
