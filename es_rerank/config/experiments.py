"""The ``experiment`` section of a file → its policy with one policy for each variant; what cannot be compared is refused.

A variant's keys are laid over the file's as those are laid over the defaults, so every key means there what it means
elsewhere, and its faults are told by its own line. Does not read files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from es_rerank.core.experiment import CONTROL, ExperimentPolicy, Name, UnitSource, VariantPolicy
from es_rerank.errors import ConfigError

FIXED = ("indices", "enabled", "entry_points", "syntax", "client_control", "experiment")
"""What decides which searches are heard at all; it cannot differ between variants."""

_HERE: tuple[str | int, ...] = ("experiment",)

Place = Callable[[tuple[str | int, ...]], str]
"""The place of a key in the file."""


def weights_only(values: dict[str, Any], at: Place) -> dict[str, Any]:
    """The file's values with nothing but weights in its variants; raises ConfigError for variants of another shape."""
    section = values.get("experiment")
    variants = section.get("variants") if isinstance(section, dict) else None
    if not isinstance(section, dict) or not isinstance(variants, dict):
        return values
    bare = {name: _weight(name, keys, at) for name, keys in variants.items()}
    return values | {"experiment": section | {"variants": bare}}


def _weight(name: str, keys: object, at: Place) -> dict[str, Any]:
    """What is no policy's key of a variant; msgspec does not say which entry of a mapping it refuses, so this does."""
    key = f"experiment.variants.{name}"
    place = at((*_HERE, "variants", name))
    remedy = "lower-case letters, digits, `_`, `.` and `-`; 64 of them at most"
    if not isinstance(keys, dict):
        raise ConfigError(place, key, "expected a mapping", "give it a weight: {weight: 50}")
    own = {part: value for part, value in keys.items() if part == "weight"}
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as exc:
        raise ConfigError(place, key, "this is no name of a variant", remedy) from exc
    if not own:
        raise ConfigError(place, f"{key}.weight", "this key is missing", "add it")
    try:
        msgspec.convert(own, VariantPolicy)
    except msgspec.ValidationError as exc:
        what = str(exc).partition(" - at")[0]
        raise ConfigError(at((*_HERE, "variants", name, "weight")), f"{key}.weight", what, "a number from 0 up") from exc
    return own


def keys_of(values: dict[str, Any], variant: str) -> dict[str, Any]:
    """The policy's keys that a variant changes, as the file gives them."""
    given = values["experiment"]["variants"][variant]
    return {name: value for name, value in given.items() if name != "weight"}


def refuse(experiment: ExperimentPolicy, values: dict[str, Any], at: Place) -> None:
    """Raise ConfigError for what makes no comparison."""
    _refuse_variants(experiment, values, at)
    if not experiment.units and experiment.mode != "shadow":
        remedy = "say where requests name their user or session, {header: X-User-Id} for one"
        raise ConfigError(at(_HERE), "experiment.unit", "nobody can be assigned", remedy)
    listed = isinstance(experiment.unit, tuple)
    sources: dict[tuple[str | int, ...], UnitSource] = {
        ("unit", place) if listed else ("unit",): unit for place, unit in enumerate(experiment.units)
    }
    sources |= {("segments", name): source for name, source in experiment.segments.items()}
    for path, source in sources.items():
        if (source.header is None) == (source.cookie is None):
            key = ".".join(("experiment", *(part for part in path if isinstance(part, str))))
            raise ConfigError(at((*_HERE, *path)), key, "name a header or a cookie", "give one of the two")
    if experiment.exposures.index is None and experiment.exposures.file is None:
        remedy = "name an `index` of your cluster (`es-rerank experiment install` makes it), or a `file`"
        raise ConfigError(at(_HERE), "experiment.exposures", "what is not recorded cannot be compared", remedy)


def _refuse_variants(experiment: ExperimentPolicy, values: dict[str, Any], at: Place) -> None:
    """There have to be two at least, control among them, and they differ in what can be compared."""
    here = at((*_HERE, "variants"))
    if CONTROL not in experiment.variants or len(experiment.variants) == 1:
        remedy = "give `control: {weight: 50}`, which is raw Elasticsearch, and at least one other"
        raise ConfigError(here, "experiment.variants", "there is nothing to compare", remedy)
    for name in experiment.variants:
        for key in keys_of(values, name):
            if name == CONTROL or key in FIXED:
                why = "control is raw Elasticsearch" if name == CONTROL else "it decides which searches take part"
                where = at((*_HERE, "variants", name, key))
                raise ConfigError(where, f"experiment.variants.{name}.{key}", f"cannot differ: {why}", "take it out")
    taking = sum(weight > 0 for weight in experiment.weights.values())
    if not taking:
        remedy = "give control a weight of 1, or say `stopped: true`"
        raise ConfigError(here, "experiment.variants", "every weight is 0", remedy)
    if experiment.mode == "interleave" and taking == 1:
        remedy = "give a second variant a weight of more than 0"
        raise ConfigError(here, "experiment.variants", "one team drafts alone", remedy)
