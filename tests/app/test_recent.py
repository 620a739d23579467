"""The last searches, kept for trials."""

from __future__ import annotations

import msgspec

from es_rerank.app.recent import MOST_BYTES, RecentSearches, method_and_target
from es_rerank.core.experiment import ExposurePolicy
from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import UpstreamRequest
from es_rerank.core.reasons import Disposition, Outcome
from es_rerank.search import route
from es_rerank.search.headers import Control
from es_rerank.search.plan import RerankPlan, decide
from es_rerank.service.served import Part, Served, ServedMany
from tests.builders import call, policy, resolved
from tests.search.test_variants import given, running

LINES = ((b"content-type", b"application/json"), (b"authorization", b"secret"), (b"cookie", b"a=b"))


def taken(
    kept: RecentSearches, body: bytes = b"snow", base: IndexPolicy | None = None, target: bytes = b"/books/_search"
) -> None:
    found = route.parse("POST", target)
    assert found is not None
    planned = decide(call({"query": {"match": {"title": body[:20].decode()}}}), resolved(base or policy()), Control())
    assert isinstance(planned, RerankPlan)
    if base is not None and base.experiment is not None:
        planned = msgspec.structs.replace(planned, assignment=given(base, "control"))
    part = Part("books", "p", Served(Disposition(Outcome.RERANKED), plan=planned))
    kept.take(UpstreamRequest("POST", target, LINES, body), found, ServedMany((part,)))


def test_newest_first_without_logins() -> None:
    """As many as are wanted; an equal one moves to the front."""
    kept = RecentSearches(2)
    for body in (b"one", b"two", b"three", b"two"):
        taken(kept, body)
    assert [(one.index, one.query) for one in kept()] == [("books", "two"), ("books", "three")]
    assert kept()[0].request.headers == (LINES[0],)
    assert method_and_target(kept()[0]) == "POST /books/_search"


def test_what_is_not_kept() -> None:
    """Long bodies, several searches at once, what was not planned, words that an experiment may not keep, anything at 0."""
    kept = RecentSearches(9)
    taken(kept, b"a" * (MOST_BYTES + 1))
    taken(kept, target=b"/books/_msearch")
    quiet = running(wide=policy())
    assert quiet.experiment is not None
    hashed = msgspec.structs.replace(quiet.experiment, exposures=ExposurePolicy(index="u", query_text="hash"))
    taken(kept, base=msgspec.structs.replace(quiet, experiment=hashed))
    found = route.parse("POST", b"/books/_search")
    assert found is not None
    served = Served(Disposition(Outcome.PASSED_THROUGH))
    kept.take(UpstreamRequest("POST", b"/books/_search", (), b"{}"), found, ServedMany((Part("books", "p", served),)))
    none = RecentSearches(0)
    taken(none)
    assert (kept(), none()) == ([], [])
    taken(kept, base=quiet)
    assert len(kept()) == 1
