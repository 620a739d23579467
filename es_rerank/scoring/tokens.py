"""Texts → the ids of pairs, the same ids that the tokenizer's own pair encoding gives.

The query is encoded once, the passages in one batch, and the two are joined by hand with the special tokens around
them. Truncation is FlagEmbedding's: the query keeps three quarters of ``max_length``, the passage what is then left.
Encoded passages are remembered by a hash of their text, bounded in bytes. Called from one thread.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from es_rerank.errors import ModelLoadError
from es_rerank.scoring.backend import Prepared
from es_rerank.scoring.cuts import Cuts

Ids = npt.NDArray[np.int32]

_CHARACTERS_A_TOKEN = 6
"""A text longer than this for each token wanted is cut first, where that changes nothing."""
_OVERHEAD = 240
"""Bytes that an entry of the cache takes beside its ids."""


class Tokens(msgspec.Struct, frozen=True, eq=False):
    """One pair, specials included; the first ``first`` ids are of token type 0, the rest of type ``second_type``.

    ``truncated``: text was cut off.
    """

    ids: Ids
    first: int
    second_type: int = 0
    truncated: bool = False


class _Template(msgspec.Struct, frozen=True):
    """The special ids before, between and after two texts; how many of those between go with the query by type."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    between_first: int
    second_type: int


class PairTokenizer:
    """One tokenizer with its cache."""

    def __init__(self, tokenizer: Tokenizer, *, cache_bytes: int = 64 * 1024**2) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._template = _template(tokenizer)
        self._cuts = Cuts(tokenizer)
        self._known: OrderedDict[bytes, Ids] = OrderedDict()
        self._cache_bytes = cache_bytes
        self.held_bytes = 0

    @classmethod
    def load(cls, folder: Path, *, cache_bytes: int = 64 * 1024**2) -> PairTokenizer:
        """Have transformers read the folder, whose pipeline for a family is the one FlagEmbedding uses, too.

        It is not always that of ``tokenizer.json``: transformers 5 makes XLM-RoBERTa's anew. Raises ModelLoadError.
        """
        try:
            from transformers import AutoTokenizer  # noqa: PLC0415  heavy

            whole = AutoTokenizer.from_pretrained(str(folder))
            return cls(Tokenizer.from_str(whole.backend_tokenizer.to_str()), cache_bytes=cache_bytes)
        except Exception as exc:
            msg = f"no tokenizer can be read from {folder}: {type(exc).__name__}: {exc}; it needs a tokenizer.json"
            raise ModelLoadError(msg) from exc

    def join(self, query: str, passages: Sequence[str], max_length: int) -> list[Tokens]:
        """The pairs of ``query`` with each passage, in their order; at most ``max_length`` ids each."""
        form = self._template
        asked = self._encoded([query], max_length)[0]
        kept = asked[: max_length * 3 // 4]
        head = np.array([*form.before, *kept, *form.between], dtype=np.int32)
        room = max(max_length - len(head) - len(form.after), 0)
        first = len(form.before) + len(kept) + form.between_first
        after = np.array(form.after, dtype=np.int32)
        cut = len(kept) < len(asked)
        return [
            Tokens(np.concatenate((head, ids[:room], after)), first, form.second_type, cut or len(ids) > room)
            for ids in self._encoded(passages, max_length)
        ]

    def _encoded(self, texts: Sequence[str], max_length: int) -> list[Ids]:
        """The first ``max_length`` ids of each text, without specials; from the cache where it has them."""
        keys = [_hash(text, max_length) for text in texts]
        wanted = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        fresh = dict(zip(wanted, self._fresh(list(wanted.values()), max_length), strict=True))
        found = []
        for key in keys:
            if key in fresh:
                found.append(fresh[key])
            else:
                self._known.move_to_end(key)
                found.append(self._known[key])
        for key, ids in fresh.items():
            self._known[key] = ids
            self.held_bytes += ids.nbytes + _OVERHEAD
        while self.held_bytes > self._cache_bytes:
            _, dropped = self._known.popitem(last=False)
            self.held_bytes -= dropped.nbytes + _OVERHEAD
        return found

    def _fresh(self, texts: list[str], max_length: int) -> list[Ids]:
        """Encode in one batch; a text that turns out to have been cut too short is encoded again, twice as long."""
        ends = [self._end(text, max_length * _CHARACTERS_A_TOKEN) for text in texts]
        found: list[Ids] = [np.empty(0, dtype=np.int32)] * len(texts)
        places = list(range(len(texts)))
        while places:
            batch = [texts[place][: ends[place]] for place in places]
            again = []
            for place, ids in zip(places, self._batch(batch), strict=True):
                if len(ids) < max_length and ends[place] < len(texts[place]):
                    ends[place] = self._end(texts[place], ends[place] * 2)
                    again.append(place)
                else:
                    found[place] = np.array(ids[:max_length], dtype=np.int32)
            places = again
        return found

    def _batch(self, texts: list[str]) -> list[list[int]]:
        """Lone surrogates, which no tokenizer reads, become replacement characters."""
        try:
            encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        except (UnicodeEncodeError, TypeError):
            whole = [text.encode("utf-8", "replace").decode() for text in texts]
            encoded = self._tokenizer.encode_batch_fast(whole, add_special_tokens=False)
        return [encoding.ids for encoding in encoded]

    def _end(self, text: str, wanted: int) -> int:
        if len(text) <= wanted:
            return len(text)
        return self._cuts.after(text, wanted) or len(text)


def prepared(tokenizer: PairTokenizer, mark: bytes, query: str, passages: Sequence[str], max_length: int) -> list[Prepared]:
    """Pairs for a model that takes ids. ``mark`` names model and precision; with length and ids it makes the key."""
    seed = hashlib.blake2b(mark + max_length.to_bytes(4, "little"), digest_size=16)
    found = []
    for tokens in tokenizer.join(query, passages, max_length):
        digest = seed.copy()
        digest.update(tokens.first.to_bytes(4, "little") + tokens.ids.tobytes())
        found.append(Prepared(tokens, len(tokens.ids), digest.digest(), tokens.truncated))
    return found


def tokens_of(pair: Prepared) -> Tokens:
    """The ids of a prepared pair; raises TypeError for one that another kind of backend prepared."""
    if not isinstance(pair.item, Tokens):
        msg = "prepared by another backend"
        raise TypeError(msg)
    return pair.item


def _hash(text: str, max_length: int) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16, salt=max_length.to_bytes(4, "little")).digest()


def _template(tokenizer: Tokenizer) -> _Template:
    """Read the template off a pair of plain letters; raises ModelLoadError where specials stand anywhere else."""
    encoding = tokenizer.encode("a", "b")
    owners = encoding.sequence_ids
    if 0 not in owners or 1 not in owners or owners.index(0) > owners.index(1):
        msg = "the tokenizer has no template for pairs; is this a cross-encoder's?"
        raise ModelLoadError(msg)
    ends = owners.index(0), len(owners) - owners[::-1].index(0), owners.index(1), len(owners) - owners[::-1].index(1)
    ids, types = encoding.ids, encoding.type_ids
    return _Template(
        before=tuple(ids[: ends[0]]),
        between=tuple(ids[ends[1] : ends[2]]),
        after=tuple(ids[ends[3] :]),
        between_first=sum(kind == types[ends[0]] for kind in types[ends[1] : ends[2]]),
        second_type=types[ends[2]],
    )
