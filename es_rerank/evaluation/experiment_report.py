"""An analysis in sentences and in a terminal's tables; the page of HTML is ``experiment_page``.

Says what happened and how sure that is; the main measure, which was decided on beforehand, decides.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from es_rerank.evaluation.experiment import Analysis, Stratum, VariantResult
from es_rerank.evaluation.inference import ALPHA
from es_rerank.evaluation.outcomes import OUTCOMES

SEGMENT_HEADS = ("dimension", "kind", "variant", "searches", "change", "95 % interval", "p, corrected")
HEADS = ("measure", "control", "variant", "change", "95 % interval", "always valid", "p")


def verdict(stratum: Stratum) -> list[str]:
    """What can be said, in sentences."""
    if stratum.stopped:
        return [f"No conclusion: {stratum.stopped}."]
    found = list(stratum.alarms)
    for variant in stratum.variants:
        for row in variant.rows[:1]:
            one = row.assigned
            told = f"{row.outcome} {one.control:.4f} → {one.variant:.4f}, change {one.low:+.4f} … {one.high:+.4f}"
            sure = _sure(one.always_low, one.always_high, row.corrected)
            word = "better" if one.change > 0 else "worse"
            found.append(
                f"{variant.name} is {word} than control ({told}); {sure}."
                if sure
                else f"{variant.name}: no difference from control can be told from chance ({told})."
            )
    for pair in stratum.preferences:
        told = f"{pair.value:+.4f} clicks a search, {pair.wins} searches won, {pair.losses} lost"
        sure = _sure(pair.always_low, pair.always_high, pair.p)
        ahead, behind = (pair.first, pair.second) if pair.value > 0 else (pair.second, pair.first)
        found.append(
            f"{ahead} is preferred to {behind} ({told}); {sure}."
            if sure
            else f"{pair.first} and {pair.second}: no preference can be told from chance ({told})."
        )
    return found


def _sure(low: float, high: float, p: float) -> str:
    """How a difference holds; empty: it may be chance."""
    if low > 0 or high < 0:
        return "this holds whenever you look"
    return f"p = {p:.3f}, if this is the one look that was planned" if p < ALPHA else ""


def table(analysis: Analysis) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = []
    for stratum in analysis.strata:
        parts.append(Text(heading(analysis, stratum), style="bold"))
        parts += [Text(line) for line in verdict(stratum)]
        for variant in stratum.variants:
            parts.append(Text(counts(variant)))
            if variant.rows:
                rows = Table(title=f"{variant.name}, as assigned")
                for name in HEADS:
                    rows.add_column(name, justify="left" if name == "measure" else "right")
                for cells in cells_of(variant):
                    rows.add_row(*cells)
                parts.append(rows)
        if stratum.segments:
            kinds = Table(title=f"by kind of search: {measure(analysis)}")
            for name in SEGMENT_HEADS:
                kinds.add_column(name, justify="left" if name in SEGMENT_HEADS[:3] else "right")
            for cells in segment_cells(stratum):
                kinds.add_row(*cells)
            parts.append(kinds)
        parts.append(Text(""))
    if analysis.left_over:
        parts.append(Text("Events left over: " + ", ".join(f"{count} {why}" for why, count in analysis.left_over.items())))
    return Group(*parts) if analysis.strata else Text(f"{analysis.experiment}: nothing was recorded yet")


def measure(analysis: Analysis) -> str:
    """What changes of kinds of searches are changes of."""
    return "clicks a search" if analysis.mode == "interleave" else OUTCOMES[0].name


def segment_cells(stratum: Stratum) -> Iterator[tuple[str, ...]]:
    """The rows of the table of kinds."""
    for one in stratum.segments:
        span = f"{one.low:+.4f} … {one.high:+.4f}"
        yield one.dimension, one.kind, one.variant, str(one.searches), f"{one.change:+.4f}", span, f"{one.corrected:.4f}"


def heading(analysis: Analysis, stratum: Stratum) -> str:
    """What is looked at."""
    shares = ", ".join(f"{name} {weight:g}" for name, weight in stratum.weights.items())
    return (
        f"{analysis.experiment} ({analysis.mode}), stratum {stratum.name}: {stratum.searches} searches of "
        f"{stratum.units} units, {stratum.since} to {stratum.until}; weights {shares}"
    )


def counts(variant: VariantResult) -> str:
    """How many, and what became of them."""
    became = ", ".join(f"{count} {outcome}" for outcome, count in sorted(variant.outcomes.items(), key=lambda one: -one[1]))
    return f"{variant.name}: {variant.searches} searches of {variant.units} units; {became}"


def cells_of(variant: VariantResult, *, served: bool = False) -> Iterator[tuple[str, ...]]:
    """The rows of a variant's table, cell by cell."""
    for row in variant.rows:
        one = row.served if served else row.assigned
        if one is not None:
            p = f"{one.p if served else row.corrected:.4f}"
            spans = (f"{one.low:+.4f} … {one.high:+.4f}", f"{one.always_low:+.4f} … {one.always_high:+.4f}")
            yield row.outcome, f"{one.control:.4f}", f"{one.variant:.4f}", f"{one.change:+.4f}", *spans, p
