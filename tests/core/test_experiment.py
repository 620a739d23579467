"""The keys of an experiment, as values."""

from __future__ import annotations

from es_rerank.core.experiment import ExperimentPolicy, UnitSource, VariantPolicy


def experiment(**keys: object) -> ExperimentPolicy:
    variants = {name: VariantPolicy(weight=weight) for name, weight in (("b", 3.0), ("control", 1.0), ("a", 3.0))}
    return ExperimentPolicy(**({"id": "e", "variants": variants} | keys))  # type: ignore[arg-type]


def test_units() -> None:
    """One place, or several in their order."""
    one, other = UnitSource(header="X-User"), UnitSource(cookie="session")
    assert experiment(unit=one).units == (one,)
    assert experiment(unit=(one, other)).units == (one, other)


def test_weights_and_salt() -> None:
    """Control first, the others by name; the id is the salt where none is given; the heaviest is the challenger."""
    assert list(experiment().weights.items()) == [("control", 1.0), ("a", 3.0), ("b", 3.0)]
    assert experiment().secret == "e"
    assert experiment(salt="s").secret == "s"
    assert experiment().challenger == "a"
