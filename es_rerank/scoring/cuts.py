"""Where a long text may be cut before it is tokenised, so that the tokens in front of the cut are provably the same.

Two neighbouring characters part the text where no token can span them: then the tokenizer's choice on the left does not
depend on what is on the right. For a unigram model (Kudo 2018) that is so where both characters are known to it and no
piece of the vocabulary holds the two side by side; for WordPiece where its pre-tokenizer splits. Characters that a
normaliser could join with their neighbours are never used; blanks help, but are not relied on.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from tokenizers import Tokenizer

_REACH = 2_000
"""How far behind the wanted place a parting is looked for."""

Parts = Callable[[str, str], bool]


class Cuts:
    """The places of one tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Read the tokenizer's pipeline; one that is not understood gets no cuts at all."""
        pipeline = msgspec.json.decode(tokenizer.to_str())
        self._added = [token["content"] for token in pipeline.get("added_tokens") or ()]
        self._parts = _unigram(tokenizer, pipeline) or _wordpiece(pipeline)

    def after(self, text: str, start: int) -> int | None:
        """The first place from ``start`` on where the text may be cut; None: there is none near."""
        if self._parts is None:
            return None
        for place in range(max(start, 1), min(start + _REACH, len(text))):
            left, right = text[place - 1], text[place]
            if (
                _settled(left)
                and left != " "
                and _settled(right)
                and self._parts(left, right)
                and not any(left + right in content for content in self._added)
            ):
                return place
        return None


def _settled(letter: str) -> bool:
    """Whether no normaliser joins it with a neighbour: printable ASCII, Han, kana, Hangul syllables, their stops."""
    return " " <= letter <= "~" or "一" <= letter <= "鿿" or letter in "。、，！？；：" or _syllable(letter)


def _syllable(letter: str) -> bool:
    return "ぁ" <= letter <= "ゖ" or "ァ" <= letter <= "ヺ" or "가" <= letter <= "힣"


def _kinds(part: Any) -> set[str]:  # noqa: ANN401  JSON
    """The types of a pipeline's step, which may be a sequence of steps."""
    if not part:
        return set()
    if part["type"] != "Sequence":
        return {part["type"]}
    return set().union(*(_kinds(step) for step in part.get("normalizers") or part.get("pretokenizers") or ()))


def _unigram(tokenizer: Tokenizer, pipeline: dict[str, Any]) -> Parts | None:
    known = {"Precompiled", "Replace", "Strip", "NFC", "NFKC"}
    if (
        pipeline["model"].get("type") != "Unigram"
        or not _kinds(pipeline["normalizer"]) <= known
        or not _kinds(pipeline["pre_tokenizer"]) <= {"Metaspace", "WhitespaceSplit"}
        or "Metaspace" not in _kinds(pipeline["pre_tokenizer"])
    ):
        return None
    pieces = [piece for piece, _ in pipeline["model"]["vocab"]]
    singles = frozenset(piece for piece in pieces if len(piece) == 1) | {"▁"}
    codes = np.frombuffer("\0".join(pieces).encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    pairs = np.unique(codes[:-1] << 21 | codes[1:])
    normalizer = tokenizer.normalizer

    def normal(text: str) -> str:
        return normalizer.normalize_str(text) if normalizer else text

    def parts(left: str, right: str) -> bool:
        ours, theirs = normal(left), normal(right).replace(" ", "▁")
        if not ours or not theirs or ours[-1] not in singles or theirs[0] not in singles:
            return False
        wanted = ord(ours[-1]) << 21 | ord(theirs[0])
        place = int(np.searchsorted(pairs, wanted))
        return normal(left + right).replace(" ", "▁") == ours + theirs and (
            place == len(pairs) or int(pairs[place]) != wanted
        )

    return parts


def _wordpiece(pipeline: dict[str, Any]) -> Parts | None:
    normalizer = pipeline["normalizer"] or {}
    if (
        pipeline["model"].get("type") != "WordPiece"
        or normalizer.get("type") != "BertNormalizer"
        or not normalizer.get("handle_chinese_chars")
        or _kinds(pipeline["pre_tokenizer"]) != {"BertPreTokenizer"}
    ):
        return None
    alone = frozenset(string.punctuation)

    def parts(left: str, right: str) -> bool:
        return right == " " or any(letter in alone or "一" <= letter <= "鿿" for letter in (left, right))

    return parts
