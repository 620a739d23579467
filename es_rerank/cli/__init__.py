"""The commands, one file each. ``main`` prints faults of an operator's making as one line, never as a traceback."""

from __future__ import annotations

import sys

import typer

from es_rerank.cli.calibrate import calibrate
from es_rerank.cli.capacity import capacity
from es_rerank.cli.check_config import check_config
from es_rerank.cli.demo import demo
from es_rerank.cli.demo_experiment import demo_experiment
from es_rerank.cli.doctor import doctor
from es_rerank.cli.evaluate import evaluate
from es_rerank.cli.experiment import app as experiment
from es_rerank.cli.init import init
from es_rerank.cli.load import load
from es_rerank.cli.scorer import scorer
from es_rerank.cli.serve import serve
from es_rerank.cli.sweep import sweep
from es_rerank.errors import EsRerankError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A proxy in front of Elasticsearch: the same searches, a better order.",
)


@app.callback()
def _commands() -> None:
    """Keep `serve` a command of its own, however many there are."""


app.command()(serve)
app.command()(scorer)
app.command()(demo)
app.command()(demo_experiment)
app.command()(init)
app.command()(check_config)
app.command()(doctor)
app.command()(capacity)
app.command()(load)
app.command()(evaluate)
app.command()(sweep)
app.command()(calibrate)
app.add_typer(experiment, name="experiment")


def main() -> None:
    """Run the command line; exit status 2 and one line for a fault that the operator can mend."""
    try:
        app()
    except EsRerankError as fault:
        print(f"es-rerank: {fault}", file=sys.stderr)
        raise SystemExit(2) from fault
