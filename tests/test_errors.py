"""The tree of exceptions."""

from __future__ import annotations

from es_rerank import errors


def test_every_exception_is_ours() -> None:
    """One root, so that one clause catches all."""
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(value, errors.EsRerankError) for value in found)
    assert {value.__name__ for value in found} <= set((errors.__doc__ or "").split()) | {"EsRerankError"}


def test_config_errors_name_place_key_and_remedy() -> None:
    """One line that an operator can act on."""
    fault = errors.ConfigError("p.yaml:3", "passage.fields", "is empty", "name a field")
    assert str(fault) == "p.yaml:3: passage.fields: is empty (name a field)"
    assert str(errors.ConfigError("--api", "", "taken", "choose another")) == "--api: taken (choose another)"


def test_statuses_of_upstream_faults() -> None:
    """502 for no way, 504 for no answer in time."""
    assert (errors.UpstreamUnreachable.status, errors.UpstreamTimeout.status, errors.UpstreamBroken.status) == (
        502,
        504,
        502,
    )
