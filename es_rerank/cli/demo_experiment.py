"""``es-rerank demo-experiment``: simulated users search through the proxy for a minute, and the report says what helped.

On the demo's collection, with an embedded engine and an embedded model. Users read down the page and click what is good (a
cascade); half of them get raw Elasticsearch. Everything on the way is the real thing: assignment, records, events, analysis.
"""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from es_rerank.app.background import Running, running
from es_rerank.app.build import Application
from es_rerank.app.serve import listener
from es_rerank.cli.demo import INDEX, client_of, fill, remove, request_of
from es_rerank.cli.embedded_engine import embedded_engine
from es_rerank.config.settings import load_settings
from es_rerank.errors import ConfigError
from es_rerank.evaluation import experiment_page, experiment_report
from es_rerank.evaluation.experiment import Analysis, analysed
from es_rerank.evaluation.records import join
from es_rerank.telemetry.logs import configure

SHOWN = 3
"""Hits on a page: short, so that an order matters."""

GOOD, OTHER, STOPS = 0.8, 0.12, 0.9
"""How likely the best document, and any other, is clicked when it is read; how likely nobody reads on after the best."""

_POLICY = f"""
indices: [{INDEX}]
passage: {{fields: [title, text]}}
timeout_ms: 3000
experiment:
  id: demo
  unit: {{header: X-User}}
  variants: {{control: {{weight: 50}}, rerank: {{weight: 50}}}}
  exposures: {{file: FILE}}
"""


def demo_experiment(
    searches: Annotated[int, typer.Option(min=20, max=100_000, help="how many searches the users make")] = 1200,
    html: Annotated[Path, typer.Option(help="the report")] = Path("demo-experiment.html"),
    scorer: Annotated[str, typer.Option(help="embedded, engine, flagembedding or fake")] = "embedded",
    engine: Annotated[str, typer.Option(help="embedded, or elasticsearch: the one at ES_RERANK_UPSTREAM")] = "embedded",
) -> None:
    """Run an experiment from the first search to the conclusion, with users who are not there."""
    if engine not in {"embedded", "elasticsearch"}:
        raise ConfigError("--engine", "", f"there is no engine {engine!r}", "use embedded or elasticsearch")
    configure("error")
    collection = json.loads((resources.files("es_rerank.cli") / "data/demo.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "policies").mkdir()
        (folder / "policies/demo.yaml").write_text(_POLICY.replace("FILE", str(folder / "records.jsonl")), encoding="utf-8")
        url = stack.enter_context(embedded_engine()) if engine == "embedded" else load_settings().upstream
        settings = load_settings(
            upstream=url,
            config=folder / "policies",
            scorer=scorer,
            events="127.0.0.1:0",
            events_index="",
            events_file=folder / "events.jsonl",
            events_per_minute=1_000_000,
        )
        direct = stack.enter_context(client_of(url, settings))
        stack.callback(remove, direct)
        fill(direct, collection["documents"])
        with running(Application(settings), *(listener("127.0.0.1:0", "") for _ in range(3))) as proxy:
            _people(proxy, collection["searches"], searches)
        found = _analysed(folder)  # closing the proxy has written what was waiting
    Console(width=140, highlight=False).print(experiment_report.table(found))
    html.write_text(experiment_page.page(found), encoding="utf-8")
    print(f"the report: {html.resolve()}")


def _people(proxy: Running, wanted: list[dict[str, Any]], searches: int) -> None:
    """Two searches for each user; what is clicked is reported as a shop's page would."""
    chance = random.Random(7)  # noqa: S311  the same people every time
    with httpx.Client(timeout=60) as client, Progress(transient=True) as progress:
        for number in progress.track(range(searches), description="people search"):
            search = chance.choice(wanted)
            body = request_of({**search, "kind": "bm25"})
            body = {"query": body["query"], "size": SHOWN}
            found = client.post(f"{proxy.url}/{INDEX}/_search", json=body, headers={"X-User": f"user {number // 2}"})
            clicks = []
            for place, hit in enumerate(found.json()["hits"]["hits"], 1):
                good = hit["_id"] == search["best"]
                if chance.random() < (GOOD if good else OTHER):
                    about = {"object": {"object_id": hit["_id"]}, "position": {"ordinal": place}}
                    told = {"action_name": "click", "query_id": found.headers["x-rerank-query-id"]}
                    clicks.append({**told, "event_attributes": about})
                    if good and chance.random() < STOPS:
                        break
            if clicks:
                client.post(f"{proxy.events}/events", json=clicks).raise_for_status()


def _analysed(folder: Path) -> Analysis:
    """Put together what the proxy wrote."""
    records, events = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("records.jsonl", "events.jsonl")
    )
    return analysed("demo", "split", join(records, events, "demo"))
