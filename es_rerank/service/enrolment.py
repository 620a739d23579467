"""Who takes part in an experiment, and as what: the request's unit, the shares in force, an id for the search.

Does not plan searches, does not write records.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from es_rerank.core.experiment import CONTROL, ExperimentPolicy
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Headers
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.core.resolve import Resolved
from es_rerank.experiment import assignment
from es_rerank.experiment.assignment import Assignment
from es_rerank.search import syntax, ubi, variants
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan
from es_rerank.search.request import SearchCall
from es_rerank.search.syntax import Translation


class Enrolment:
    """Plans searches, those under an experiment too. ``identify`` gives a new query id."""

    def __init__(self, identify: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._identify = identify
        self._strata: dict[int, tuple[IndexPolicy, str]] = {}

    def decide(
        self,
        call: SearchCall | Passthrough,
        covered: Resolved,
        control: Control | Passthrough,
        asked: Headers,
        told: ubi.Told,
    ) -> tuple[Translation | None, RerankPlan | Passthrough]:
        """Plan a search; ``asked`` are the client's header lines, ``told`` what its body says of itself."""
        policy = covered.lead
        if policy.experiment is None:
            return syntax.decide(call, covered, control)
        translated, plans = variants.eligible(call, covered, control)
        if isinstance(plans, Passthrough):
            return translated, plans
        if policy.experiment.stopped:
            return translated, Passthrough(Reason.STOPPED)
        forced = control.variant if isinstance(control, Control) else None
        given = self._assigned(policy, policy.experiment, asked, told, forced)
        return translated, given if isinstance(given, Passthrough) else variants.assigned(plans, given)

    def _assigned(
        self, policy: IndexPolicy, experiment: ExperimentPolicy, asked: Headers, told: ubi.Told, forced: str | None
    ) -> Assignment | Passthrough:
        stratum = self._stratum(policy, experiment)
        segments = assignment.segments_of(asked, experiment.segments)
        unit = assignment.unit_of(asked, experiment.units)
        hashed = "" if unit is None else assignment.hashed(experiment.secret, unit)
        if forced is not None:
            return Assignment(experiment, self._identify(), hashed, forced, stratum, forced=True)
        if experiment.mode == "shadow":
            identity = told.query_id or self._identify()
            return Assignment(experiment, identity, hashed, CONTROL, stratum, segments=segments)
        if unit is None:
            return Passthrough(Reason.NO_UNIT)
        weights = experiment.weights
        teams = "+".join(name for name, weight in weights.items() if weight > 0)
        variant = teams if experiment.mode == "interleave" else assignment.assign(hashed, weights)
        return Assignment(experiment, told.query_id or self._identify(), hashed, variant, stratum, segments=segments)

    def _stratum(self, policy: IndexPolicy, experiment: ExperimentPolicy) -> str:
        """Once for each policy in force; a policy that was replaced is forgotten with the next one of its place."""
        known = self._strata.get(id(policy))
        if known is None or known[0] is not policy:
            if len(self._strata) > 1000:  # noqa: PLR2004  reloads add up
                self._strata.clear()
            known = self._strata[id(policy)] = (policy, assignment.stratum(experiment, policy.variants))
        return known[1]
