"""``python -m bench.experiments``: the proofs of the analysis, in full; exit status 0 when every one holds."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import metadata
from pathlib import Path

import msgspec

from bench.engine.report import machine
from bench.engine.texts import ROOT
from es_rerank.evaluation import proofs, simulate

LISTS = Path(__file__).with_name("lists.json")


def main() -> int:
    """Everything in one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer experiments")
    given = parser.parse_args()
    begun = time.perf_counter()
    world = simulate.World(simulate.load(LISTS))
    found = proofs.all_of_them(world, 200 if given.quick else 1000)
    told = machine()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "scipy", "statsmodels"))
    spent = f"{time.perf_counter() - begun:.0f} s. {world.queries} queries of the Shopping Queries Dataset, raw and reranked"
    lines = [
        f"# What the analysis of experiments promises: {'quick' if given.quick else 'full'} run",
        "",
        f"{told['when']}, commit {told['commit']}, {told['processor']}; Python {told['python']}, {versions}; {spent}; seeds fixed.",
        "",
        "| promise | seen | has to lie in | holds | how |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {one.what} | {one.seen:.4g} | {one.low:.4g} … {one.high:.4g} | {'yes' if one.holds else '**no**'} | {one.note} |"
            for one in found
        ),
        "",
    ]
    text = "\n".join(lines)
    name = "experiments-quick" if given.quick else "experiments"
    (ROOT / f"bench/results/{name}.md").write_text(text, encoding="utf-8")
    rows = [
        msgspec.to_builtins(one) | {"high": None if one.high == float("inf") else one.high, "holds": one.holds}
        for one in found
    ]
    (ROOT / f"bench/results/{name}.json").write_text(
        json.dumps({"machine": told, "rows": rows}, indent=1) + "\n", encoding="utf-8"
    )
    print(text)
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
