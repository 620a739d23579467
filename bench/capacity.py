"""``python -m bench.capacity``: what ``es-rerank capacity`` predicts, beside measured runs of real scorers on this machine.

Scorers of a known, fixed rate (they wait instead of computing, so that two cores can carry several) behind the real client,
queue and batches; searches come at random times whatever the answers take (open loop). Exit status 0 where every percentile is
within the bound; ``--seconds`` says how long each run takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np

from bench.engine.report import machine
from bench.engine.texts import ROOT
from es_rerank.advice.capacity import Device, Traffic, fleet
from es_rerank.app.scorer import serve
from es_rerank.config.settings import Settings
from es_rerank.core.estimate import estimate
from es_rerank.core.ports import ScoringJob
from es_rerank.scoring.backend import Pair
from es_rerank.scoring.remote import RemoteScorer
from es_rerank.scoring.texts import Texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RATE = 100_000.0
"""Tokens a second of one scorer."""

WINDOW, SPREAD, BUDGET_MS = 40, 0.3, 2_000.0
RUNS = ((1, 0.4), (1, 0.7), (2, 0.7), (4, 0.8))
"""Replicas, and how busy they are."""

BOUND = 0.25
"""How far a percentile may be off."""


class Waiting:
    """A model that takes its time: so many tokens a second, whatever they say."""

    name = "waiting"
    device = "none"

    def score(self, pairs: Sequence[Pair], max_length: int) -> list[float]:
        time.sleep(sum(map(estimate, pairs)) / RATE)
        return [0.0] * len(pairs)


@asynccontextmanager
async def scorer(place: str) -> AsyncIterator[str]:
    """A scorer at a socket."""
    stop, started = asyncio.Event(), asyncio.Event()
    settings = Settings(scorer="fake", shutdown_s=1, cached_scores=0)
    task = asyncio.create_task(serve(settings, place, stop, started.set, load_backends=lambda: [Texts(Waiting())]))
    await started.wait()
    yield place
    stop.set()
    await task


async def measured(replicas: int, searches_per_s: float, seconds: float, texts: Sequence[str]) -> np.ndarray:
    """Milliseconds of each search, from being asked to being answered; NaN for one that was not scored whole."""
    chance = random.Random(7)
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            places = [await stack.enter_async_context(scorer(f"unix:{folder}/{n}.sock")) for n in range(replicas)]
            remote = RemoteScorer(places)
            while isinstance(await remote.info(), str):
                await asyncio.sleep(0.05)
            loop = asyncio.get_running_loop()

            async def search(number: int) -> None:
                count = max(1, round(chance.gauss(WINDOW, WINDOW * SPREAD)))
                passages = tuple(f"{number} {text}" for text in chance.sample(texts, count))
                begun = loop.time()
                scored = await remote.score(ScoringJob("what is this about", passages, 512, begun + BUDGET_MS / 1000))
                whole = all(logit is not None for logit in scored.logits)
                took.append((loop.time() - begun) * 1000 if whole else float("nan"))

            tasks: list[asyncio.Task[None]] = []
            end = loop.time() + seconds
            while loop.time() < end:
                tasks.append(asyncio.create_task(search(len(tasks))))
                await asyncio.sleep(chance.expovariate(searches_per_s))
            await asyncio.gather(*tasks)
            await remote.close()
    return np.array(took[len(took) // 10 :])


def main() -> int:
    """Every run, one after another."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    chance = random.Random(3)
    texts = [" ".join(chance.choice(("snow", "mountain", "valley", "river")) for _ in range(60)) for _ in range(400)]
    tokens = float(np.mean([estimate(("what is this about", f"100 {text}")) for text in texts]))
    rows = []
    for replicas, busy in RUNS:
        searches_per_s = busy * replicas * RATE / (WINDOW * tokens)
        told = fleet(Traffic(searches_per_s, WINDOW, tokens, SPREAD), Device(RATE), replicas, BUDGET_MS)
        took = asyncio.run(measured(replicas, searches_per_s, given.seconds, texts))
        for share, predicted in ((50, told.p50_ms), (95, told.p95_ms), (99, told.p99_ms)):
            seen = float(np.nanpercentile(took, share))
            rows.append(
                {
                    "replicas": replicas,
                    "busy": busy,
                    "searches": len(took),
                    "percentile": share,
                    "predicted_ms": round(predicted, 1),
                    "measured_ms": round(seen, 1),
                    "error": round(predicted / seen - 1, 3),
                }
            )
    about = machine()
    lines = [
        "# What `es-rerank capacity` predicts, beside measured runs",
        "",
        f"{about['when']}, commit {about['commit']}, {about['processor']}; scorers of {RATE:.0f} tokens a second that wait instead",
        f"of computing, windows of {WINDOW} ± {SPREAD:.0%} pairs of {tokens:.0f} tokens, open loop, {given.seconds:g} s a run; a",
        f"percentile may be off by {BOUND:.0%}.",
        "",
        "| replicas | busy | searches | percentile | predicted ms | measured ms | error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {row['replicas']} | {row['busy']:.0%} | {row['searches']} | {row['percentile']} | {row['predicted_ms']} | "
            f"{row['measured_ms']} | {row['error']:+.0%} |"
            for row in rows
        ),
        "",
    ]
    text = "\n".join(lines)
    (ROOT / "bench/results/capacity.md").write_text(text, encoding="utf-8")
    told_all = json.dumps({"machine": about, "rows": rows}, indent=1)
    (ROOT / "bench/results/capacity.json").write_text(told_all + "\n", encoding="utf-8")
    print(text)
    return 0 if all(abs(float(row["error"])) <= BOUND for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
