"""What every test has: quiet logs, hypothesis at two depths."""

from __future__ import annotations

import io
import os
from collections import Counter

import hypothesis
import pytest

from es_rerank.telemetry.logs import configure
from tests.certificates import Certificates

hypothesis.settings.register_profile("fast", max_examples=60, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=5000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def log_stream() -> io.StringIO:
    """Log lines of a test, as JSON text."""
    stream = io.StringIO()
    configure("debug", stream)
    return stream


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and a certificate for this machine."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, in a line each, what was left out on this machine."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped if report.longrepr)
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests {reason}")
