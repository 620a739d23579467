"""What the listeners share: settings, policies, readiness. Plain data, wired in ``build``."""

from __future__ import annotations

import msgspec


class Readiness(msgspec.Struct):
    """Whether searches are reranked yet, what the model is, and what went wrong."""

    ready: bool = False
    model: str = ""
    device: str = ""
    pairs_per_s: float = 0.0
    fault: str = ""
    config_fault: str = ""
