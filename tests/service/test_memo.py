"""What is remembered of a window."""

from __future__ import annotations

from es_rerank.core.reasons import Disposition, Outcome, Reason
from es_rerank.search.long_text import Judged
from es_rerank.service.memo import Memo, Remembered, unread_key, window_key
from tests.builders import planned, policy
from tests.fakes import FakeClock

PARTIAL = Remembered((Judged(1.0), Judged()), Disposition(Outcome.PARTIAL, None, 2, 1), full=False)
FULL = Remembered((Judged(1.0), Judged(2.0)), Disposition(Outcome.RERANKED, None, 2, 2), full=True)


def test_a_degraded_window_is_kept_for_its_next_pages_only() -> None:
    """A new first page asks the model again; a full one serves every page."""
    memo = Memo(FakeClock())
    first, second = planned({}), planned({"from": 10})
    memo.keep(b"k", PARTIAL)
    assert (memo.find(b"k", first), memo.find(b"k", second)) == (None, PARTIAL)
    memo.keep(b"k", FULL)
    assert (memo.find(b"k", first), memo.find(b"k", second)) == (FULL, FULL)
    memo.forget(b"k")
    memo.forget(b"k")
    assert memo.find(b"k", second) is None


def test_bounded_in_number_and_time() -> None:
    """In hits, the oldest window goes first; after five minutes nothing holds."""
    clock = FakeClock()
    memo = Memo(clock, hits=5)
    for key in (b"a", b"b", b"c"):
        memo.keep(key, FULL)
    assert [memo.find(key, planned({})) is not None for key in (b"a", b"b", b"c")] == [False, True, True]
    memo.keep(b"c", PARTIAL)
    memo.keep(b"unread", Remembered((), PARTIAL.disposition, full=False))
    assert memo.find(b"b", planned({"from": 1})) is not None
    clock.now += 300
    assert memo.find(b"c", planned({})) is None


def test_keys() -> None:
    """Pages of one search share a key; another query, policy, passage, order of passages or variant does not."""
    base = window_key(planned({}), ["a", "b"])
    assert window_key(planned({"from": 10, "size": 5}), ["a", "b"]) == base
    others = [
        window_key(planned({}), ["b", "a"]),
        window_key(planned({}), ["ab", ""]),
        window_key(planned({"query": {"match": {"title": "rain"}}}), ["a", "b"]),
        window_key(planned({}, policy(rank_window_size=7)), ["a", "b"]),
    ]
    assert len({base, *others}) == 5
    assert unread_key(planned({})) == unread_key(planned({"from": 10, "size": 5}))
    assert unread_key(planned({})) != unread_key(planned({"track_total_hits": True}))
    assert Reason.BREAKER_OPEN.value not in str(base)
