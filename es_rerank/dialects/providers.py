"""The other side of the dialects: what is asked of another system's rerank API, and what its answer says.

Every answer becomes logits in the order of the texts. Systems that give raw scores are asked for them; those that give a
score between 0 and 1 have it turned back by the inverse of the logistic function. Does not send anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from es_rerank.errors import ScorerError

ProviderName = Literal["tei", "vllm", "infinity", "cohere", "jina", "voyage"]

_LEAST = 1e-9
"""A score nearer to 0 or 1 than this is taken as this."""


class Request(msgspec.Struct, frozen=True):
    """Texts to be scored for a query; ``max_length`` counts tokens of both together."""

    query: str
    texts: Sequence[str]
    model: str
    max_length: int


class Provider(msgspec.Struct, frozen=True):
    """One system: the path behind its address, how many texts it takes at once, and its words."""

    path: str
    most: int
    body: Callable[[Request], dict[str, Any]]
    entries: str
    score: str
    raw: bool

    def encode(self, request: Request) -> bytes:
        """The body of a request."""
        return msgspec.json.encode(self.body(request))

    def decode(self, data: bytes, count: int) -> list[float]:
        """The logits in an answer to ``count`` texts, in their order; raises ScorerError where it is not one."""
        try:
            tree = msgspec.json.decode(data)
            found = tree[self.entries] if self.entries else tree
            logits: dict[int, float] = {entry["index"]: self._logit(entry[self.score]) for entry in found}
        except (ValueError, KeyError, TypeError) as exc:
            raise ScorerError(f"the scorer's answer cannot be read: {type(exc).__name__}: {data[:200]!r}") from exc
        if logits.keys() != set(range(count)):
            raise ScorerError(f"the scorer gave {len(logits)} scores for {count} texts")
        return [logits[place] for place in range(count)]

    def _logit(self, score: float) -> float:
        if self.raw:
            return float(score)
        share = min(max(float(score), _LEAST), 1 - _LEAST)
        return math.log(share / (1 - share))


def _tei(request: Request) -> dict[str, Any]:
    return {"query": request.query, "texts": request.texts, "raw_scores": True, "truncate": True}


def _vllm(request: Request) -> dict[str, Any]:
    asked = {"model": request.model, "query": request.query, "documents": request.texts, "use_activation": False}
    return {**asked, "truncate_prompt_tokens": request.max_length}


def _infinity(request: Request) -> dict[str, Any]:
    return {"model": request.model, "query": request.query, "documents": request.texts, "raw_scores": True}


def _cohere(request: Request) -> dict[str, Any]:
    asked = {"model": request.model, "query": request.query, "documents": request.texts}
    return {**asked, "max_tokens_per_doc": request.max_length}


def _jina(request: Request) -> dict[str, Any]:
    return {"model": request.model, "query": request.query, "documents": request.texts, "return_documents": False}


def _voyage(request: Request) -> dict[str, Any]:
    return {"model": request.model, "query": request.query, "documents": request.texts, "truncation": True}


PROVIDERS: Mapping[ProviderName, Provider] = {
    "tei": Provider("/rerank", 32, _tei, "", "score", raw=True),
    "vllm": Provider("/rerank", 256, _vllm, "results", "relevance_score", raw=True),
    "infinity": Provider("/rerank", 256, _infinity, "results", "relevance_score", raw=True),
    "cohere": Provider("/v2/rerank", 1000, _cohere, "results", "relevance_score", raw=False),
    "jina": Provider("/v1/rerank", 1000, _jina, "results", "relevance_score", raw=False),
    "voyage": Provider("/v1/rerank", 1000, _voyage, "data", "relevance_score", raw=False),
}
"""By name. TEI refuses more texts than its ``--max-client-batch-size``, 32 unless told otherwise."""
