"""What the YAML of one family of indices means: the only definition of every key.

Each key's type, bounds, default and description stand here once; the loader adds file and line to what msgspec
refuses, and the table in ``docs/configuration.md`` is generated from these Structs. Does not read files.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from es_rerank.core.experiment import ExperimentPolicy

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
"""A field name in a passage template."""

_BYTES = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)?")
_UNITS = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


class ByteSize(int):
    """A number of bytes, written as an integer or as ``4MiB``."""

    @classmethod
    def parse(cls, value: object) -> ByteSize:
        """Read ``4194304``, ``"512KiB"``, ``"4MiB"`` or ``"1GiB"``; raise ValueError otherwise."""
        match = _BYTES.fullmatch(str(value))
        if isinstance(value, bool) or match is None:
            msg = f"expected a number of bytes such as 4MiB, got {value!r}"
            raise ValueError(msg)
        return cls(int(match[1]) * _UNITS[match[2]])


class _Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all groups of keys have in common: immutable, by name, unknown names refused."""


class PassagePolicy(_Keys, frozen=True):
    """Which text of a hit the model reads."""

    fields: Annotated[tuple[str, ...], Meta(description="source fields, joined in this order")] = ()
    template: Annotated[
        str | None,
        Meta(description='instead of `fields`: text with field names in double braces, `"{{title}}. {{body}}"`'),
    ] = None
    separator: Annotated[str, Meta(description="stands between two fields")] = "\n"
    missing: Annotated[
        Literal["below", "in_place"],
        Meta(description="hits without text: `below` the scored ones, or `in_place` where Elasticsearch had them"),
    ] = "below"
    strip_html: Annotated[bool, Meta(description="take tags and entities out of the text")] = False
    max_length: Annotated[int, Meta(ge=16, le=8192, description="tokens of query and passage together; the rest is cut")] = (
        512
    )
    long_text: Annotated[
        Literal["truncate", "best_passage"],
        Meta(description="`truncate`: the model reads a text's beginning; `best_passage`: it reads passages of it"),
    ] = "truncate"
    passage_tokens: Annotated[int, Meta(ge=16, le=8192, description="about how long a passage is, in whole sentences")] = 200
    stride: Annotated[int, Meta(ge=0, le=4096, description="about how many tokens neighbouring passages share")] = 40
    max_passages: Annotated[int, Meta(ge=1, le=100, description="passages of one document that the model reads")] = 4
    pick: Annotated[
        Literal["first", "overlap"],
        Meta(
            description="which, where there are more: the `first`, or those that share most words (character bigrams for "
            "Chinese) with the query",
        ),
    ] = "first"
    aggregate: Annotated[
        Literal["max", "mean", "first"], Meta(description="a document's logit, out of those of its passages")
    ] = "max"
    highlight: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="the best passage is returned in the hit's `highlight` under this name"),
    ] = None

    @property
    def named_fields(self) -> tuple[str, ...]:
        """The source fields that are read, in the order of their use."""
        if self.template is not None:
            return tuple(dict.fromkeys(PLACEHOLDER.findall(self.template)))
        return self.fields


class QueryPolicy(_Keys, frozen=True):
    """Which words of a search are what the person wants."""

    combine: Annotated[
        Literal["join", "longest", "first", "skip"],
        Meta(description="several different texts in one search: `join` them, take one, or `skip` reranking"),
    ] = "join"
    ignore_fields: Annotated[
        tuple[str, ...], Meta(description="clauses on these fields (patterns allowed) are not query text")
    ] = ()
    path: Annotated[
        str | None,
        Meta(description="dotted path into the request body that holds the text, for hand-made request shapes"),
    ] = None
    filters_as_text: Annotated[bool, Meta(description="use the words of `filter` clauses when nothing else holds any")] = (
        False
    )


class ScorePolicy(_Keys, frozen=True):
    """How a logit becomes a `_score`."""

    activation: Annotated[
        Literal["elastic", "sigmoid"],
        Meta(description="`elastic`: logit + 1 from 0 up, exp(logit) below; `sigmoid`: between 0 and 1"),
    ] = "elastic"


class FusionPolicy(_Keys, frozen=True):
    """How the model's order and Elasticsearch's become one."""

    method: Annotated[
        Literal["replace", "weighted", "rrf"],
        Meta(description="`replace` the order by the model's, `weighted` sum of scores, or `rrf` of ranks"),
    ] = "replace"
    weight: Annotated[float, Meta(ge=0, le=1, description="the model's share (not used by `replace`)")] = 1.0
    normaliser: Annotated[
        Literal["minmax", "l2_norm", "none"], Meta(description="rescales both lists before `weighted`")
    ] = "minmax"
    rank_constant: Annotated[int, Meta(ge=1, description="RRF's k")] = 60


class WidenPolicy(_Keys, frozen=True):
    """How far a search may be widened."""

    knn: Annotated[
        Literal["auto", "never"],
        Meta(description="`auto`: raise `k` of a pure kNN search to the window; `never`: leave `k` alone"),
    ] = "auto"
    max_bytes: Annotated[
        ByteSize, Meta(description="a widened answer that grows past this is dropped and the original sent")
    ] = ByteSize(4 * 1024**2)
    with_highlight: Annotated[
        int, Meta(ge=1, le=10_000, description="the window of searches with `highlight`, which cost more a hit")
    ] = 30
    bounded: Annotated[bool, Meta(description="also rerank searches with `terminate_after`")] = False
    profile: Annotated[
        bool, Meta(description="also rerank searches with `profile`, whose profile is then that of the wider search")
    ] = False


class SyntaxPolicy(_Keys, frozen=True):
    """In which engines' own words a search may ask for reranking."""

    text_similarity_reranker: Annotated[
        bool,
        Meta(
            description="execute Elastic's `text_similarity_reranker` here where it is the outermost retriever, with its "
            "window, field and text",
        ),
    ] = False
    query_context: Annotated[
        bool, Meta(description="take OpenSearch's `ext.rerank.query_context` out of the body and rank by its text")
    ] = False
    pipelines: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="names that are ours in `search_pipeline`: taken out and reranked; `_none` is taken out, too, and "
            "switches reranking off",
        ),
    ] = ()


Control = Literal["mode", "query", "window", "timeout", "variant"]
EntryPoint = Literal["search", "msearch", "template", "async_search", "typed"]


class IndexPolicy(_Keys, frozen=True, kw_only=True):
    """All that one policy file says; the keys of the sections are their own Structs."""

    indices: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(min_length=1, description="names, aliases or patterns (`*`), as clients write them in the path"),
    ]
    enabled: Annotated[bool, Meta(description="`false`: searches of these indices pass through")] = True
    rank_window_size: Annotated[
        int, Meta(ge=1, le=10_000, description="how many first-stage hits the model reads (30 with the embedded scorer)")
    ] = 100
    window_max: Annotated[
        int, Meta(ge=1, le=10_000, description="the largest window that `X-Rerank-Window` may ask for")
    ] = 200
    passage: PassagePolicy
    query: QueryPolicy = QueryPolicy()
    score: ScorePolicy = ScorePolicy()
    fusion: FusionPolicy = FusionPolicy()
    min_score: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="drops scored hits whose activated model score is lower, and the tail; not on partial or "
            "fallback; `hits.total` stays",
        ),
    ] = None
    weight: Annotated[float, Meta(gt=0, le=1000, description="share of the model, beside other policies' searches")] = 1.0
    timeout_ms: Annotated[
        int, Meta(ge=1, le=60_000, description="for the model, from Elasticsearch's last byte; what is scored is used")
    ] = 1000
    total_ms: Annotated[int, Meta(ge=1, le=120_000, description="for the whole search; only ever shrinks `timeout_ms`")] = (
        5000
    )
    timeout_max_ms: Annotated[int, Meta(ge=1, le=60_000, description="the most that `X-Rerank-Timeout-Ms` may ask for")] = (
        3000
    )
    widen: WidenPolicy = WidenPolicy()
    entry_points: Annotated[
        tuple[EntryPoint, ...],
        Meta(
            description="which ways to search are reranked: `_search`, `_msearch`, search `template`s, answers of "
            "`async_search` that are final, `typed` paths of Elasticsearch 7; others pass through",
        ),
    ] = ("search", "msearch", "template")
    syntax: SyntaxPolicy = SyntaxPolicy()
    client_control: Annotated[tuple[Control, ...], Meta(description="which `X-Rerank-…` request headers are honoured")] = (
        "mode",
        "query",
        "window",
        "timeout",
    )
    experiment: ExperimentPolicy | None = None
    variants: dict[str, IndexPolicy] = {}
    """What the loader makes of the experiment's variants, control not among them; no key of a file."""

    @property
    def name(self) -> str:
        """What logs and metrics call this policy: its first pattern."""
        return self.indices[0]


SHARED_KEYS = ("enabled", "rank_window_size", "window_max", "score", "fusion", "min_score")
"""What policies touched by one search must agree on, besides the timeouts and the widening."""


def ordering(policy: IndexPolicy) -> tuple[object, ...]:
    """Everything about a policy that shapes the one order of a search over several indices."""
    timeouts = (policy.timeout_ms, policy.total_ms, policy.timeout_max_ms)
    return (
        *(getattr(policy, key) for key in SHARED_KEYS),
        *timeouts,
        policy.widen,
        policy.entry_points,
        policy.syntax,
        policy.query,
        policy.client_control,
        policy.experiment,
    )
