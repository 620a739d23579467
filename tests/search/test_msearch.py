"""Newline-delimited searches taken apart and put together."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from es_rerank.core.reasons import Passthrough, Reason
from es_rerank.errors import AnswerUnreadable
from es_rerank.search import msearch, route
from es_rerank.search.route import SearchRoute

WHOLE = SearchRoute("books", (("typed_keys", "true"),), "msearch")


def items(body: bytes) -> tuple[msearch.Item, ...]:
    found = msearch.parse(body)
    assert not isinstance(found, Passthrough)
    return found


def test_lines_keep_their_bytes() -> None:
    """Header and search as they came, with their blanks; blank lines behind the last item are no item."""
    found = items(b'{"index" : "a"} \r\n {"size":1}\n\n{}\n\n  \n')
    assert [(item.header, item.body) for item in found] == [(b'{"index" : "a"} \r', b' {"size":1}'), (b"", b"{}")]
    assert found[0].lines == b'{"index" : "a"} \r\n {"size":1}\n'
    assert found[1].with_body(b"[]") == b"\n[]\n"


@pytest.mark.parametrize(
    ("header", "expression"),
    [
        (b"{}", "books"),
        (b" ", "books"),
        (b'{"index":"a,b"}', "a,b"),
        (b'{"index":["a","b"]}', "a,b"),
        (b'{"indices":"c"}', "c"),
        (b'{"index":null}', "books"),
    ],
)
def test_where_an_item_goes(header: bytes, expression: str) -> None:
    """Its own index, else the request's; the parameters are the request's."""
    found = items(b"{}\n{}\n" + header + b"\n{}\n")[1].route(WHOLE)
    assert found == SearchRoute(expression, WHOLE.parameters, "msearch")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.UNSUPPORTED),
        (b"\n", Reason.UNSUPPORTED),
        (b'\n{"size":2}\n', Reason.UNSUPPORTED),  # a header on 8 and 9, skipped on 7
        (b'{}\n{"size":2}', Reason.UNSUPPORTED),  # no newline at the end
        (b"{}\n", Reason.UNSUPPORTED),
        (b"{}\n{}\n{}\n", Reason.UNSUPPORTED),
        (b"\xef\xbb\xbf{}\n{}\n", Reason.UNSUPPORTED),
        (b"nothing\n{}\n", Reason.NOT_JSON),
        (b"{}\n\n{}\n{}\n", Reason.NOT_JSON),  # a blank search
    ],
)
def test_what_is_left_alone(body: bytes, reason: Reason) -> None:
    """What engines refuse, or read differently from one another."""
    assert msearch.parse(body) == Passthrough(reason)


def test_answers() -> None:
    """Items by their place; errors are told by their status; a new item takes the place of the old."""
    data = b'{"took":3,"responses":[{"took":1,"status":200}, {"error":{"type":"x"},"status":404},{"took":2}]}'
    found = msearch.read(data, 3)
    assert [msearch.status(found.item(place)) for place in range(3)] == [200, 404, 200]
    assert msearch.join(found, {2: b'{"new":1}'}, 4) == data.replace(b'{"took":2}', b'{"new":1}').replace(b":3,", b":7,", 1)
    assert msearch.join(found, {}, 0) == data
    untimed = msearch.read(b'{"responses":[]}', 0)
    assert msearch.join(untimed, {}, 5) == b'{"responses":[]}'
    odd = msearch.read(b'{"took":"x","responses":[]}', 0)
    assert msearch.join(odd, {}, 5) == b'{"took":5,"responses":[]}'


@pytest.mark.parametrize(("item", "status"), [(b'{"error":1}', 500), (b"nothing", 0), (b"[]", 0), (b'{"status":"x"}', 200)])
def test_odd_items(item: bytes, status: int) -> None:
    """An error without a status is one; what cannot be read is no success."""
    assert msearch.status(item) == status


@pytest.mark.parametrize("data", [b"", b"[]", b'{"took":1}', b'{"responses":{}}', b'{"responses":[{}]}'])
def test_unreadable_answers(data: bytes) -> None:
    """Also those with another number of items."""
    with pytest.raises(AnswerUnreadable):
        msearch.read(data, 2)


@given(st.lists(st.tuples(st.dictionaries(st.text(), st.integers()), st.dictionaries(st.text(), st.text())), min_size=1))
def test_there_and_back(pairs: list[tuple[dict[str, int], dict[str, str]]]) -> None:
    """Items join to the body that they were taken from."""
    body = b"".join(json.dumps(part).encode() + b"\n" for pair in pairs for part in pair)
    assert b"".join(item.lines for item in items(body)) == body


@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    """Give items or a reason."""
    assert isinstance(msearch.parse(body), tuple | Passthrough)


def test_the_route_of_a_request() -> None:
    """With and without an index."""
    for target, expression in ((b"/_msearch", None), (b"/a%2Cb/_msearch/?pretty", "a,b"), (b"/_msearch?index=c", "c")):
        found = route.parse("POST", target)
        assert found is not None
        assert (found.expression, found.endpoint) == (expression, "msearch")
