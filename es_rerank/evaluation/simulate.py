"""Users who are not there: click models over judged lists, fast enough for thousands of experiments.

Assignment and interleaving are the service's own functions, so what is proved here is proved of them. Two click models,
fixed before anything was measured: a dependent cascade (Guo, Liu and Wang, WSDM 2009), in which people read down the page
and may stop after a click, and a position-based one (Craswell et al., WSDM 2008), in which each rank is looked at by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.evaluation.inference import Sums
from es_rerank.evaluation.preference import contested
from es_rerank.experiment.assignment import assign, hashed
from es_rerank.experiment.interleaving import draft, seed_of

if TYPE_CHECKING:
    import numpy as np

DEPTH = 10
"""Hits on a page."""

ATTRACTIVE = (0.05, 0.2, 0.4, 0.7)
"""How likely a hit of grade 0 to 3 is clicked when it is read."""

SATISFYING = (0.1, 0.3, 0.5, 0.8)
"""How likely a person stops after such a click (cascade)."""

READ = tuple(1 / rank for rank in range(1, DEPTH + 1))
"""How likely a rank is looked at (position-based)."""

DRAFTS = 40
"""Interleaved lists of each query that are made beforehand, for as many units."""


class Lists(msgspec.Struct, frozen=True):
    """One query: the grade of each hit of the first stage, and every order of them, as places, best first."""

    grades: tuple[int, ...]
    orders: dict[str, tuple[int, ...]]


def load(path: Path) -> list[Lists]:
    """Lists as ``bench/experiments/lists.json`` holds them."""
    found = []
    for one in json.loads(path.read_text(encoding="utf-8"))["lists"]:
        orders = {CONTROL: tuple(range(len(one["grades"]))), "rerank": tuple(one["rerank"])}
        found.append(Lists(tuple(one["grades"]), orders))
    return found


def cascade(grades: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Clicks of people who read down ``grades`` (``(n, DEPTH)``) and may stop after each."""
    import numpy as np  # noqa: PLC0415  an extra

    clicks: np.ndarray = chance.random(grades.shape) < np.array(ATTRACTIVE)[grades]
    stops = clicks & (chance.random(grades.shape) < np.array(SATISFYING)[grades])
    stopped_before = np.cumsum(stops, axis=1) - stops > 0
    kept: np.ndarray = clicks & ~stopped_before
    return kept


def position_based(grades: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Clicks of people who look at each rank by itself."""
    import numpy as np  # noqa: PLC0415  an extra

    read = chance.random(grades.shape) < np.array(READ)
    clicks: np.ndarray = read & (chance.random(grades.shape) < np.array(ATTRACTIVE)[grades])
    return clicks


MODELS = {"cascade": cascade, "position-based": position_based}


class World:
    """Judged lists as arrays: pages of each order, and interleaved ones with who drafted each hit."""

    def __init__(self, lists: Sequence[Lists], first: str = "rerank", experiment: str = "simulated") -> None:
        import numpy as np  # noqa: PLC0415  an extra

        self.pages = {
            name: np.array([[one.grades[place] for place in one.orders[name][:DEPTH]] for one in lists])
            for name in (CONTROL, first)
        }
        drafted = [
            [interleaved(one, number, unit, experiment) for unit in range(DRAFTS)] for number, one in enumerate(lists)
        ]
        self.drafted = np.array(
            [[[lists[number].grades[hit] for hit, _ in one] for one in of] for number, of in enumerate(drafted)]
        )
        worth = [[_credits(lists[number], one, first) for one in of] for number, of in enumerate(drafted)]
        self.credits = np.array(worth)
        self.queries = len(lists)

    def click_rate(self, model: str, name: str) -> float:
        """The true CTR@10 of an order: nobody stops before a first click, so it is the same product under both models."""
        import numpy as np  # noqa: PLC0415  an extra

        clicked = np.array(ATTRACTIVE)[self.pages[name]] * (np.array(READ) if model == "position-based" else 1.0)
        return float((1 - (1 - clicked).prod(axis=1)).mean())


def _credits(one: Lists, page: Sequence[tuple[int, str]], first: str) -> list[int]:
    """What a click on each place is worth to the first team: 1, -1, or 0 where both teams wanted the hit."""
    ranks = {name: [one.orders[name].index(hit) + 1 for hit, _ in page] for name in (first, CONTROL)}
    teams = [team for _, team in page]
    agreed = contested(teams, ranks[first], ranks[CONTROL], first, CONTROL)
    return [0 if place in agreed else 1 if team == first else -1 for place, team in enumerate(teams)]


def interleaved(one: Lists, query: int, unit: int, experiment: str) -> list[tuple[int, str]]:
    """The first page of one unit's list, as the service drafts it."""
    seed = seed_of(experiment, str(unit), str(query), one.orders)
    return draft(one.orders, seed)[:DEPTH]


class Traffic(msgspec.Struct, frozen=True):
    """Units in the order in which they came: the variant of each, its searches, and how many of them had a click."""

    variants: np.ndarray
    searches: np.ndarray
    clicked: np.ndarray

    def sums(self, variant: int, upto: int | None = None) -> Sums:
        """What one variant came to among the first units."""
        mine = self.variants[:upto] == variant
        return Sums(self.clicked[:upto][mine].astype(float), self.searches[:upto][mine].astype(float))


def split(
    world: World, model: str, units: int, chance: np.random.Generator, weights: Mapping[str, float], same: str | None = None
) -> Traffic:
    """A split experiment: variant 0 is control. ``same``: everybody sees that order, whatever was assigned (A/A).

    A unit searches once or more (geometric, two times on average); what counts is a click on the page.
    """
    import numpy as np  # noqa: PLC0415  an extra

    salt = str(chance.integers(2**60))
    names = [CONTROL, *(name for name in weights if name != CONTROL)]
    variants = np.array([names.index(assign(hashed(salt, str(unit)), weights)) for unit in range(units)])
    searches = chance.geometric(0.5, units)
    owner = np.repeat(np.arange(units), searches)
    query = chance.integers(0, world.queries, len(owner))
    pages = np.stack([world.pages[same or name] for name in names])
    clicks = MODELS[model](pages[variants[owner], query], chance).any(axis=1)
    return Traffic(variants, searches, np.bincount(owner, weights=clicks, minlength=units))


def interleave(world: World, model: str, units: int, chance: np.random.Generator) -> Sums:
    """An interleaved experiment: for each unit the clicks that the treatment earned less control's, and its searches."""
    import numpy as np  # noqa: PLC0415  an extra

    searches = chance.geometric(0.5, units)
    owner = np.repeat(np.arange(units), searches)
    query, which = chance.integers(0, world.queries, len(owner)), chance.integers(0, DRAFTS, len(owner))
    clicks = MODELS[model](world.drafted[query, which], chance)
    ahead = (clicks * world.credits[query, which]).sum(axis=1)
    return Sums(np.bincount(owner, weights=ahead, minlength=units), searches.astype(float))
