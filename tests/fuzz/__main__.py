"""``python -m tests.fuzz``: coverage-guided fuzzing of every target, so many seconds each, over the kept corpora.

A finding (an exception that is not ours, or an input that takes ten seconds) is written to ``.fuzz/TARGET/`` and ends the run
with status 1. New inputs that reach new code are kept under ``.fuzz``; those worth keeping for ever go to ``tests/fuzz/corpus``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.name for path in (HERE / "corpus").iterdir())
KEPT = Path(__file__).parents[2] / ".fuzz"


def one(name: str, arguments: list[str]) -> None:
    """Fuzz one target in this process; never returns."""
    import atheris

    with atheris.instrument_imports(include=["es_rerank"]):  # only what is imported inside is watched
        from tests.fuzz.targets import fed

    atheris.Setup([sys.argv[0], *arguments], lambda data: fed(name, data))
    atheris.Fuzz()


def main() -> int:
    """Every target in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=180, help="of each target")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--inside", choices=NAMES, help=argparse.SUPPRESS)
    given, rest = parser.parse_known_args()
    if given.inside:
        one(given.inside, rest)
    failed = []
    print("| target | seconds | executions | corpus | found |\n| --- | --- | --- | --- | --- |", flush=True)
    for name in [given.only] if given.only else NAMES:
        fresh = KEPT / name
        fresh.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        limits = [
            f"-max_total_time={given.seconds}",
            "-timeout=10",
            "-rss_limit_mb=4096",
            "-max_len=65536",
            "-print_final_stats=1",
        ]
        run = subprocess.run(
            [sys.executable, "-m", "tests.fuzz", "--inside", name, f"-artifact_prefix={fresh}/found-", *limits, fresh, HERE / "corpus" / name],
            capture_output=True, text=True, check=False, errors="replace",
        )  # fmt: skip
        said = run.stdout + run.stderr
        count = next((line.split()[-1] for line in said.splitlines() if "number_of_executed_units" in line), "?")
        ok = run.returncode == 0
        print(
            f"| {name} | {time.perf_counter() - begun:.0f} | {count} | {len(list(fresh.iterdir()))} | {'–' if ok else '**yes**'} |",
            flush=True,
        )
        if not ok:
            failed.append(name)
            (fresh / "found.log").write_text(said, encoding="utf-8")
            print(said[-3000:], file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
