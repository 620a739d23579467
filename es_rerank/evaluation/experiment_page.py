"""An analysis as one self-contained page of HTML, with plots: no outside assets, everything from outside escaped."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from es_rerank.evaluation.experiment import Analysis, Stratum, VariantResult
from es_rerank.evaluation.experiment_report import (
    HEADS,
    SEGMENT_HEADS,
    cells_of,
    counts,
    heading,
    measure,
    segment_cells,
    verdict,
)
from es_rerank.evaluation.outcomes import OUTCOMES

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
caption { text-align: left; font-weight: 600 }
td, th { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right }
td:first-child, th:first-child { text-align: left }
.verdict { font-size: 1.15rem; border-left: 4px solid #2a6; padding: .3rem 1rem; margin: 1rem 0 }
.stopped { border-color: #c33 }
svg { max-width: 100%; height: auto }
small { color: #666 }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #161616 }
  td, th { border-color: #333 }
  svg { background: #eee }
  a { color: #8cf }
  small { color: #aaa }
}
"""


def page(analysis: Analysis, compare: str = "") -> str:
    """One HTML file without outside assets; ``compare`` is the address of the compare page that queries link to."""
    title = html.escape(f"Experiment {analysis.experiment}")
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"]
    parts.append("<meta name=viewport content='width=device-width'>")
    parts.append(f"<style>{_STYLE}</style><h1>{title}</h1>")
    for stratum in analysis.strata:
        parts.append(f"<h2>{html.escape(heading(analysis, stratum))}</h2>")
        kind = "verdict stopped" if stratum.stopped or stratum.alarms else "verdict"
        parts += [f"<p class='{kind}'>{html.escape(line)}</p>" for line in verdict(stratum)]
        for variant in stratum.variants:
            parts.append(f"<p>{html.escape(counts(variant))}</p>")
            if variant.rows:
                parts.append(f"<h3>{html.escape(variant.name)} against control</h3>{_forest(variant)}")
                parts.append(_html_table("as assigned (everybody, whatever they were served)", cells_of(variant)))
                parts.append(_html_table("as served (those that were reranked)", cells_of(variant, served=True)))
        if any(sum(one.clicks) for one in stratum.variants):
            parts.append(f"<h3>Clicks by rank</h3>{_clicks(stratum.variants)}")
        if stratum.segments:
            caption = f"{html.escape(measure(analysis))} by kind of search"
            parts.append("<h3>For whom</h3>" + _html_table(caption, segment_cells(stratum), SEGMENT_HEADS))
        if stratum.queries:
            parts.append("<h3>Queries that won and lost most</h3>" + _moved(stratum, compare))
    meanings = "".join(f"<li><b>{html.escape(one.name)}</b>: {html.escape(one.meaning)}</li>" for one in OUTCOMES)
    left = ", ".join(f"{count} {why}" for why, count in analysis.left_over.items())
    parts.append(f"<h3>What the measures say</h3><ul>{meanings}</ul>")
    parts.append(
        "<p><small>Intervals: 95 %, by bootstrap over units; always valid: for those who look every day. p of several "
        f"variants are corrected by Holm's method. Events left over: {html.escape(left) or 'none'}.</small></p></html>"
    )
    return "\n".join(parts)


def _html_table(caption: str, rows: Iterator[tuple[str, ...]], heads: Sequence[str] = HEADS) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{body}</table>" if body else ""


def _moved(stratum: Stratum, compare: str) -> str:
    rows = []
    for one in stratum.queries:
        words = html.escape(one.query)
        link = f"<a href='{html.escape(compare)}?q={quote(one.query)}'>{words}</a>" if compare else words
        change = f"{one.changed - one.control:+.3f}"
        cells = f"<td>{one.control:.3f}</td><td>{one.changed:.3f}</td><td>{change}</td><td>{one.searches}</td>"
        rows.append(f"<tr><td>{link}</td><td>{html.escape(one.variant)}</td>{cells}</tr>")
    head = "<tr><th>query</th><th>variant</th><th>control</th><th>variant's</th><th>change</th><th>searches</th></tr>"
    return f"<table><caption>{html.escape(OUTCOMES[0].name)}</caption>{head}{''.join(rows)}</table>"


def _forest(variant: VariantResult) -> str:
    """Changes with both intervals, as shares of control's value, so that one axis serves all."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra

    rows = [row for row in variant.rows if row.assigned.control > 0]
    if not rows:
        return ""
    figure = Figure(figsize=(8, 0.5 * len(rows) + 1.2))
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        one, base = row.assigned, row.assigned.control
        axes.plot([one.always_low / base, one.always_high / base], [place, place], color="#bbb", linewidth=5)
        axes.plot([one.low / base, one.high / base], [place, place], color="#2a6", linewidth=5)
        axes.plot([one.change / base], [place], "o", color="#111", markersize=5)
    axes.axvline(0, color="#111", linewidth=1)
    axes.set_yticks(range(len(rows)), [row.outcome for row in reversed(rows)])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:+.0%}")
    axes.set_xlabel("change against control; green: 95 %, grey: always valid")
    return svg(figure)


def _clicks(variants: Sequence[VariantResult]) -> str:
    """Clicks for each search at each rank."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an extra

    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    width = 0.8 / len(variants)
    for number, one in enumerate(variants):
        axes.bar([rank + number * width for rank in range(1, len(one.clicks) + 1)], one.clicks, width, label=one.name)
    axes.set_xlabel("rank")
    axes.set_ylabel("clicks for each search")
    axes.legend()
    return svg(figure)


def svg(figure: object) -> str:
    """A figure as SVG to stand in a page: without its XML head, and the same every time."""
    import matplotlib as mpl  # noqa: PLC0415  an extra

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "es-rerank"}):
        figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})  # type: ignore[attr-defined]
    text = out.getvalue()
    return text[text.index("<svg") :]
