"""Index expression → policies."""

from __future__ import annotations

import pytest

from es_rerank.core.policy import PassagePolicy
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.core.resolve import Resolved, resolve, stream_of
from tests.builders import NOW, policy

products = policy(indices=("products", "products-*"), passage=PassagePolicy(fields=("name",)))
eu = policy(indices=("products-eu*",), passage=PassagePolicy(fields=("eu",)))
logs = policy(indices=("logs-*",), rank_window_size=7)
off = policy(indices=("off",), enabled=False)
everything = policy(indices=("*",), passage=PassagePolicy(fields=("any",)))


def names(expression: str | None, *policies: object) -> list[str] | Reason:
    found = resolve(expression, policies, NOW)  # type: ignore[arg-type]
    return found.reason if isinstance(found, Passthrough) else sorted(entry.name for entry in found.policies)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("products", ["products"]),
        ("products-eu-1", ["products-eu*"]),
        ("products-us", ["products"]),
        ("products,products-eu", ["products", "products-eu*"]),
        ("products,elsewhere", ["products"]),
        ("elsewhere", Reason.NO_POLICY),
        ("products,logs-1", Reason.POLICIES_DIFFER),
        ("products-*", ["products", "products-eu*"]),
        ("products-eu*", ["products-eu*"]),
        ("products-*,-products-eu*", ["products"]),
        ("products*,-products*", Reason.NO_POLICY),
        ("*,-_all", Reason.NO_POLICY),
        ("_all", Reason.POLICIES_DIFFER),
        (None, Reason.POLICIES_DIFFER),
        ("*,-logs-*", ["products", "products-eu*"]),
        ("-products", Reason.NO_POLICY),
        ("off", Reason.DISABLED),
        ("<logs-{now/d}>", ["logs-*"]),
        ("remote:products", Reason.NO_POLICY),
    ],
)
def test_expressions(expression: str | None, expected: object) -> None:
    """Names, patterns, exclusions, date math, several parts."""
    policies = [products, eu, logs] + ([off] if expression == "off" else [])
    assert names(expression, *policies) == expected


def test_a_catch_all_does_not_disturb_what_others_cover() -> None:
    """A pattern that a more specific policy covers as a whole is that policy's alone."""
    assert names("products-*", everything, products) == ["products"]
    assert names("pro*", everything, products) == ["*", "products"]


def test_passages_by_the_hits_own_index() -> None:
    """The policy of the concrete index first, then that of the expression; an uncovered name has none."""
    both = resolve("products,products-eu,elsewhere", [products, eu], NOW)
    assert isinstance(both, Resolved)
    assert both.passage_for("products-eu-7") == eu.passage
    assert both.passage_for("products-7") == products.passage
    assert both.passage_for("alias-target") is None
    assert both.passages == (products.passage, eu.passage)
    alias = resolve("products,elsewhere", [products], NOW)
    assert isinstance(alias, Resolved)
    assert alias.passage_for("target-of-the-alias") == products.passage
    assert alias.passage_for("elsewhere") is None


def test_backing_indices_belong_to_their_stream() -> None:
    """``.ds-`` names are those of data streams."""
    assert stream_of(".ds-logs-app-2026.11.23-000001") == "logs-app"
    assert stream_of("logs-app") == "logs-app"
    found = resolve("logs-app", [logs, products], NOW)
    assert isinstance(found, Resolved)
    assert found.passage_for(".ds-logs-app-2026.11.23-000001") == logs.passage
