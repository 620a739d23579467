"""The Protocols are met by what implements them; mypy checks the rest."""

from __future__ import annotations

from es_rerank.core.ports import ScoringJob, UpstreamRequest


def test_requests_are_not_repeated_unless_they_say_so() -> None:
    """A write is never sent twice, so repeating has to be asked for."""
    assert not UpstreamRequest("POST", b"/_bulk", ()).repeatable


def test_a_job_keeps_first_stage_order() -> None:
    """Passages are a sequence, not a set."""
    assert ScoringJob("q", ("b", "a", "b"), 512, 0.0).passages == ("b", "a", "b")


def test_secrets_do_not_print() -> None:
    """Nor does what a person searched for."""
    lines = ((b"Authorization", b"ApiKey very-secret"), (b"Cookie", b"sid=very-secret"), (b"x-a", b"plain"))
    told = repr(UpstreamRequest("POST", b"/books/_search?q=private", lines, b'{"query":"private"}'))
    assert "very-secret" not in told
    assert "private" not in told
    assert "plain" in told
    assert "POST" in told
