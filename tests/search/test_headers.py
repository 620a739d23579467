"""Header lines and what clients control us with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.ports import Headers
from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.search import headers
from es_rerank.search.headers import Control
from tests.builders import policy


def test_onward_drops_hop_by_hop_control_and_host() -> None:
    """What ``Connection`` names goes too; everything else stays, in its order and case."""
    lines = (
        (b"Host", b"h"),
        (b"Authorization", b"ApiKey x"),
        (b"Connection", b"keep-alive, X-Private"),
        (b"X-Private", b"1"),
        (b"Expect", b"100-continue"),
        (b"X-Rerank-Mode", b"off"),
        (b"TE", b"trailers"),
        (b"traceparent", b"00-1"),
    )
    assert headers.onward(lines) == ((b"Authorization", b"ApiKey x"), (b"traceparent", b"00-1"))
    assert headers.homeward(((b"Transfer-Encoding", b"chunked"), (b"Warning", b"299"))) == ((b"Warning", b"299"),)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"application/json", True),
        (b"application/json;charset=utf-8", True),
        (b"application/vnd.elasticsearch+json; compatible-with=9", True),
        (b"application/x-ndjson", True),
        (b"application/cbor", False),
        (b"text/json", False),
        (None, False),
    ],
)
def test_json_types(value: bytes | None, expected: bool) -> None:
    """JSON by any of its names."""
    assert headers.is_json(value) is expected


def test_content_type_of_an_added_body() -> None:
    """Rule R14: one versioned Accept is repeated, a list or nothing gives plain JSON."""
    versioned = b"application/vnd.elasticsearch+json; compatible-with=9"
    assert headers.content_type_for_new_body(((b"accept", versioned),)) == versioned
    assert headers.content_type_for_new_body(((b"accept", versioned + b",text/plain"),)) == b"application/json"
    assert headers.content_type_for_new_body(()) == b"application/json"


def asked(**lines: str) -> Headers:
    return tuple((f"X-Rerank-{name.replace('_', '-')}".encode(), value.encode()) for name, value in lines.items())


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((), Control()),
        (asked(Mode="on"), Control()),
        (asked(Mode="OFF"), Passthrough(Reason.MODE_OFF)),
        (asked(Mode="maybe"), Passthrough(Reason.BAD_CONTROL)),
        (asked(Query="caf%C3%A9%20%E7%8C%AB"), Control(query="café 猫")),
        (asked(Query="猫 milk"), Control(query="猫 milk")),
        (((b"x-rerank-query", b"\xff"),), Passthrough(Reason.BAD_CONTROL)),
        (asked(Query="%20"), Passthrough(Reason.BAD_CONTROL)),
        (asked(Window="50", Timeout_Ms="70"), Control(window=50, timeout_ms=70)),
        (asked(Window="5000", Timeout_Ms="99999"), Control(window=200, timeout_ms=3000)),
        (asked(Window="0"), Passthrough(Reason.BAD_CONTROL)),
        (asked(Window="-3"), Passthrough(Reason.BAD_CONTROL)),
        (asked(Timeout_Ms="1.5"), Passthrough(Reason.BAD_CONTROL)),
    ],
)
def test_control(lines: Headers, expected: object) -> None:
    """Valid values are taken, capped by the policy; an invalid one is a reason."""
    assert headers.control(lines, policy()) == expected


def test_control_that_the_policy_does_not_allow_is_ignored() -> None:
    """An index may honour no header at all."""
    assert headers.control(asked(Mode="off", Window="x"), policy(client_control=())) == Control()


@given(st.binary(max_size=30), st.sampled_from([b"mode", b"query", b"window", b"timeout-ms"]))
def test_any_bytes(value: bytes, name: bytes) -> None:
    """Any value gives a control or a reason."""
    assert isinstance(headers.control(((b"x-rerank-" + name, value),), policy()), Control | Passthrough)
