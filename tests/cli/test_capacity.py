"""``es-rerank capacity``."""

from __future__ import annotations

from tests.cli.conftest import Run

COMMAND = ("capacity", "--searches-per-s", "100", "--window", "50", "--tokens", "100")


def test_a_fleet(run: Run) -> None:
    """The smallest that keeps the budget, and what fewer and more would do; by tokens or by pairs, with a price."""
    told = run(*COMMAND, "--tokens-per-s", "100000", "--budget-ms", "150", "--cost-per-hour", "2")
    assert told.returncode == 0, told.stderr
    assert "one search is 5000 tokens, 50.0 ms of one replica; 100 a second" in told.stdout
    assert "★ 7" in told.stdout
    assert "cost of a million" in told.stdout
    same = run(*COMMAND, "--pairs-per-s", "1000", "--budget-ms", "150")
    assert "★ 7" in same.stdout
    assert "cost of a million" not in same.stdout


def test_what_is_not_enough(run: Run) -> None:
    """Exit status 1, with the reason: too few replicas, or a search that is too slow by itself."""
    few = run(*COMMAND, "--tokens-per-s", "100000", "--replicas", "5")
    assert (few.returncode, "would miss" in few.stdout, "∞" in few.stdout) == (1, True, True)
    slow = run(*COMMAND, "--tokens-per-s", "1000")
    assert (slow.returncode, "no number of replicas" in slow.stdout) == (1, True)


def test_wrong_input(run: Run) -> None:
    """One rate, not none and not two."""
    for rates in ((), ("--tokens-per-s", "1", "--pairs-per-s", "1")):
        told = run(*COMMAND, *rates)
        assert (told.returncode, "name one rate" in told.stderr) == (2, True)
