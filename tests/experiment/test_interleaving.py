"""Team-draft lists: fair, complete, and the same every time."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from es_rerank.experiment.interleaving import draft, seed_of

ORDERS = {"control": [0, 1, 2, 3], "rerank": [3, 2, 1, 0]}


def test_a_draft_by_hand() -> None:
    """In each round each team drafts its best hit that is left; the seed decides who begins."""
    seen = {tuple(draft(ORDERS, str(seed))) for seed in range(50)}
    assert seen == {
        ((0, "control"), (3, "rerank"), (1, "control"), (2, "rerank")),
        ((0, "control"), (3, "rerank"), (2, "rerank"), (1, "control")),
        ((3, "rerank"), (0, "control"), (1, "control"), (2, "rerank")),
        ((3, "rerank"), (0, "control"), (2, "rerank"), (1, "control")),
    }


orders = st.dictionaries(
    st.sampled_from(["control", "a", "b", "c"]),
    st.permutations(range(8)).flatmap(lambda p: st.integers(0, 8).map(lambda n: p[:n])),
    min_size=1,
)


@given(orders, st.text())
def test_every_hit_once(found: dict[str, list[int]], seed: str) -> None:
    """All that any team knows, nothing twice; in each full round every team drafts, and each hit is its team's best left."""
    drafted = draft(found, seed)
    assert sorted(hit for hit, _ in drafted) == sorted({hit for order in found.values() for hit in order})
    taken: set[int] = set()
    for hit, team in drafted:
        assert hit == next(other for other in found[team] if other not in taken)
        taken.add(hit)
    full = min(map(len, found.values())) // len(found) * len(found) // max(len(found), 1)
    for number in range(full // len(found)):
        assert len({team for _, team in drafted[number * len(found) : (number + 1) * len(found)]}) == len(found)
    assert draft(dict(reversed(found.items())), seed) == drafted


def test_every_team_begins_equally_often() -> None:
    """Over 3,000 seeds each of three teams begins between 900 and 1,100 times."""
    found = Counter(draft({"a": [0, 1], "b": [1, 2], "c": [2, 0]}, str(seed))[0][1] for seed in range(3000))
    assert all(900 < count < 1100 for count in found.values())


def test_what_the_seed_is_made_of() -> None:
    """Experiment, unit, query and orders, whatever the order in which they are named."""
    base = seed_of("e", "u", "q", ORDERS)
    assert base == seed_of("e", "u", "q", dict(reversed(ORDERS.items())))
    others = {seed_of("f", "u", "q", ORDERS), seed_of("e", "v", "q", ORDERS), seed_of("e", "u", "r", ORDERS)}
    assert len(others | {base, seed_of("e", "u", "q", {"control": [0], "rerank": [0]})}) == 5
