"""The command line as a whole."""

from __future__ import annotations

from tests.cli.conftest import Run


def test_help_names_every_command(run: Run) -> None:
    """And nothing else is needed to find them."""
    told = run("--help")
    assert told.returncode == 0
    for command in ("serve", "demo", "init", "check-config", "doctor"):
        assert command in told.stdout
