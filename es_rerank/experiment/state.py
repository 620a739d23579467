"""What was changed about experiments while they run: the kill switch and the shares, over what the files say.

The state is one value for all instances, with a version that grows; a change of the files stays in force where the state
says nothing. Does not store anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from es_rerank.core.experiment import MOST_WEIGHT, ExperimentPolicy, VariantPolicy
from es_rerank.core.policy import IndexPolicy


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one experiment; None: as the file says."""

    stopped: bool | None = None
    weights: dict[str, float] | None = None


class State(msgspec.Struct, frozen=True):
    """All changes, and how often they were made."""

    version: int = 0
    experiments: dict[str, Change] = {}

    def with_change(self, name: str, change: Change) -> State:
        """The next state; what a change leaves out stays as it was."""
        known = self.experiments.get(name, Change())
        stopped = known.stopped if change.stopped is None else change.stopped
        weights = known.weights if change.weights is None else change.weights
        return State(self.version + 1, self.experiments | {name: Change(stopped, weights)})


def problem(experiment: ExperimentPolicy, change: Change) -> str | None:
    """Why a change cannot be made; None: it can."""
    weights = change.weights
    if weights is None:
        return None
    if weights.keys() != experiment.variants.keys():
        return f"give a weight to each of {', '.join(experiment.variants)}"
    if any(not 0 <= weight <= MOST_WEIGHT for weight in weights.values()):
        return "a weight is a number from 0 to 1000000"
    taking = sum(weight > 0 for weight in weights.values())
    if taking < (2 if experiment.mode == "interleave" else 1):
        return "interleaving needs two variants with a weight of more than 0" if taking else "every weight is 0"
    return None


def applied(policies: Sequence[IndexPolicy], changes: Mapping[str, Change]) -> tuple[IndexPolicy, ...]:
    """The policies with the changes in them; one that does not fit the file any more is left out."""
    return tuple(_changed(policy, changes) for policy in policies)


def _changed(policy: IndexPolicy, changes: Mapping[str, Change]) -> IndexPolicy:
    experiment = policy.experiment
    change = changes.get(experiment.id) if experiment else None
    if experiment is None or change is None or problem(experiment, change) is not None:
        return policy
    variants = experiment.variants
    if change.weights is not None:
        variants = {name: VariantPolicy(weight=change.weights[name]) for name in variants}
    stopped = experiment.stopped if change.stopped is None else change.stopped
    return msgspec.structs.replace(
        policy, experiment=msgspec.structs.replace(experiment, variants=variants, stopped=stopped)
    )
