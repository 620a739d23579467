"""What the ``experiment`` section of a policy file means: the only definition of its keys.

A variant is the policy with some keys laid over it; the loader makes those policies, here stand only their weights.
Does not assign anything.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

CONTROL = "control"
"""The variant that is raw Elasticsearch."""

MOST_WEIGHT = 1e6

Mode = Literal["split", "interleave", "shadow"]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
"""Of experiments and variants: what may stand in a header and in the name of a file."""


class _Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Immutable, by name, unknown names refused."""


class UnitSource(_Keys, frozen=True):
    """Where a request says whose it is: a header line or a cookie."""

    header: Annotated[str, Meta(min_length=1)] | None = None
    cookie: Annotated[str, Meta(min_length=1)] | None = None


class VariantPolicy(_Keys, frozen=True, kw_only=True):
    """A variant's share; the other keys that a file gives here are keys of the policy."""

    weight: Annotated[float, Meta(ge=0, le=MOST_WEIGHT, description="share of the units, relative to the other variants'")]


class ExposurePolicy(_Keys, frozen=True):
    """Where records of eligible searches go."""

    index: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z0-9][^A-Z\\/*?\"<>| ,#:]*$")] | None,
        Meta(description="index of the upstream cluster, written with our own login"),
    ] = None
    file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="JSON lines; beside an `index` it takes over while that is away, and is written there later"),
    ] = None
    query_text: Annotated[
        Literal["keep", "hash", "drop"], Meta(description="what a record holds of the words that were searched for")
    ] = "keep"


class ExperimentPolicy(_Keys, frozen=True, kw_only=True):
    """A comparison of variants on live traffic."""

    id: Annotated[Name, Meta(description="its name, in records, reports and the state that instances share")]
    unit: Annotated[
        tuple[UnitSource, ...] | UnitSource,
        Meta(description="who is assigned: `{header: NAME}`, `{cookie: NAME}`, or a list of them, tried in order"),
    ] = ()
    mode: Annotated[
        Mode,
        Meta(
            description="`split`: each unit sees one variant; `interleave`: team-draft lists of all; `shadow`: everybody "
            "sees raw Elasticsearch, and a sample is reranked beside it"
        ),
    ] = "split"
    variants: Annotated[
        dict[Name, VariantPolicy],
        Meta(
            description="`control`, which is raw Elasticsearch, and others: a `weight` each, and any keys of the policy "
            "that differ"
        ),
    ]
    salt: Annotated[
        str | None, Meta(description="goes into the hash of units; the `id` where none is given. Keep it secret")
    ] = None
    segments: Annotated[
        dict[Name, UnitSource],
        Meta(
            description="by what else the report tells searches apart: a name and where a request says it, "
            "`{device: {header: X-Device}}`; recorded in clear"
        ),
    ] = {}
    sample: Annotated[float, Meta(ge=0, le=1, description="of `shadow`: the share of searches that is reranked")] = 0.1
    stopped: Annotated[
        bool, Meta(description="the kill switch: everybody gets raw Elasticsearch, and nothing is recorded")
    ] = False
    exposures: ExposurePolicy = ExposurePolicy()

    @property
    def units(self) -> tuple[UnitSource, ...]:
        """The places of the unit, in the order in which they are tried."""
        return (self.unit,) if isinstance(self.unit, UnitSource) else self.unit

    @property
    def weights(self) -> dict[str, float]:
        """Every variant's share, control first and the others by name, so that the order in the file counts for nothing."""
        names = sorted(self.variants, key=lambda name: (name != CONTROL, name))
        return {name: self.variants[name].weight for name in names}

    @property
    def challenger(self) -> str:
        """The variant beside control that has most weight, the first by name of equal ones."""
        weights = {name: weight for name, weight in self.weights.items() if name != CONTROL}
        return max(weights, key=lambda name: weights[name])

    @property
    def secret(self) -> str:
        """What the hash of a unit begins with."""
        return self.salt or self.id
