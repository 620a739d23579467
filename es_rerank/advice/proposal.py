"""A policy file proposed from a mapping and samples, with the reasons. Does no I/O.

A field is worth reading if it holds sentences or names: text fields whose sampled values have words. Titles come first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from es_rerank.advice.doctor import tokens

_TITLES = ("title", "name", "headline", "subject", "heading", "标题", "名称")
_TEXT = frozenset({"text", "match_only_text", "semantic_text"})
_SHARE = 0.2


class Candidate(msgspec.Struct, frozen=True):
    """A field and what its samples look like; ``tokens`` is their mean."""

    name: str
    share: float
    tokens: float
    markup: bool


class Proposal(msgspec.Struct, frozen=True):
    """The text of a policy file, and why it is as it is."""

    text: str
    reasons: list[str]
    fields: list[str]


def candidates(fields: Mapping[str, str], samples: Mapping[str, Sequence[str]], documents: int) -> list[Candidate]:
    """Rank the text fields: titles first, then by how much text they hold; nearly empty ones are left out.

    ``samples`` holds the non-empty texts of each field among ``documents`` sampled ones.
    """
    found = []
    for name, kind in fields.items():
        texts = samples.get(name, ())
        if kind in _TEXT and texts and len(texts) / documents >= _SHARE:
            mean = sum(map(tokens, texts)) / len(texts)
            markup = sum("</" in text or "/>" in text for text in texts) > len(texts) / 2
            found.append(Candidate(name, len(texts) / documents, mean, markup))
    return sorted(found, key=lambda field: (_is_title(field.name) is False, -field.tokens, field.name))


def _is_title(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return any(last == title or last.endswith(f"_{title}") for title in _TITLES)


def propose(index: str, ranked: Sequence[Candidate], window: int) -> Proposal:
    """Write the file: at most four fields, a token limit that fits them."""
    chosen = list(ranked[:4])
    names = [field.name for field in chosen]
    total = sum(field.tokens for field in chosen)
    max_length = 256 if total < 150 else 512  # noqa: PLR2004  tokens, the query among them
    reasons = [
        f"{field.name}: {field.share:.0%} of the sampled documents have it, about {field.tokens:.0f} tokens each"
        + (", with markup" if field.markup else "")
        for field in chosen
    ]
    reasons.append(f"together about {total:.0f} tokens, so max_length {max_length} reads most of them whole")
    markup = any(field.markup for field in chosen)
    lines = [f"# proposed by `es-rerank init` for {index}"]
    lines += [f"#   {reason}" for reason in reasons]
    lines += [f"indices: [{_quoted(index)}]", f"rank_window_size: {window}", "passage:"]
    lines += [f"  fields: [{', '.join(map(_quoted, names))}]", f"  max_length: {max_length}"]
    lines += ["  strip_html: true"] if markup else []
    return Proposal("\n".join([*lines, ""]), reasons, names)


def _quoted(text: str) -> str:
    """A YAML string that cannot be read as anything else: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)
