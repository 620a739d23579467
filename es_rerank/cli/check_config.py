"""``es-rerank check-config``: whether a folder of policies loads, and which policy an expression gets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from es_rerank.config.loader import files, load
from es_rerank.core.policy import SHARED_KEYS, IndexPolicy
from es_rerank.core.reasons import MEANINGS, Passthrough, Reason
from es_rerank.core.resolve import resolve


def check_config(
    folder: Annotated[Path, typer.Argument(help="folder of policy files")] = Path("plugin_config"),
    explain: Annotated[str | None, typer.Option(help="an index expression, as in the path of a search")] = None,
) -> None:
    """Load a folder of policy files and say what is in it; with --explain, which policy an index expression gets."""
    policies = load(folder)
    print(f"{folder}: {len(files(folder))} policy files, all good")
    for policy in policies:
        print(f"  {policy.name}: {', '.join(policy.indices)} · {_told(policy)}")
    if explain is not None:
        _explain(explain, policies)


def _told(policy: IndexPolicy) -> str:
    reads = ", ".join(policy.passage.named_fields)
    told = f"window {policy.rank_window_size}, reads {reads}" + ("" if policy.enabled else ", not enabled")
    experiment = policy.experiment
    if experiment is None:
        return told
    shares = ", ".join(f"{name} {weight:g}" for name, weight in experiment.weights.items())
    return f"{told}\n    experiment {experiment.id}: {'stopped' if experiment.stopped else experiment.mode}, {shares}"


def _explain(expression: str, policies: tuple[IndexPolicy, ...]) -> None:
    found = resolve(expression, policies, datetime.now(UTC))
    if isinstance(found, Passthrough):
        print(f"{expression}: passes through ({found.reason.value}): {MEANINGS[found.reason]}")
        if found.reason is Reason.POLICIES_DIFFER:
            print(f"  policies have to agree on {', '.join(SHARED_KEYS)}, timeouts, widen, query and client_control")
        return
    print(f"{expression}: reranked by {', '.join(policy.name for policy in found.policies)}")
    if found.uncovered:
        print(f"  no policy for {', '.join(found.uncovered)}: its hits are hits without text")
