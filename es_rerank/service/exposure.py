"""What was shown to whom: every search of an experiment becomes one record, once its answer is on its way.

Reads hits where the client's own answer went through untouched; in shadow mode it compares a sample beside the path. Never
raises, never holds an answer up.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from es_rerank.core.experiment import CONTROL
from es_rerank.core.ports import ExposureLog, Headers, UpstreamRequest
from es_rerank.core.reasons import Disposition, Passthrough
from es_rerank.errors import AnswerUnreadable
from es_rerank.experiment import exposure
from es_rerank.experiment.difference import Difference, difference
from es_rerank.experiment.exposure import Page, Shown, Took
from es_rerank.search import answer, headers, msearch, page, spans
from es_rerank.search.alone import alone
from es_rerank.search.answer import FirstStage
from es_rerank.search.plan import RerankPlan
from es_rerank.search.route import MANY, Endpoint
from es_rerank.service import coding
from es_rerank.service.served import Part, Served, ServedMany
from es_rerank.service.shadow import Shadow

MOST_BYTES = 4 * 1024**2
"""An untouched answer that is longer than this is recorded without its hits."""


class Exposures:
    """Writes records to a log."""

    def __init__(self, log: ExposureLog, shadow: Shadow, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._log = log
        self._shadow = shadow
        self._now = now
        self._beside: set[asyncio.Task[None]] = set()

    @staticmethod
    def wanted(many: ServedMany) -> bool:
        """Whether a request's untouched answer has to be seen."""
        return any(_recorded(part.served) for part in many.parts)

    def record(
        self,
        many: ServedMany,
        request: UpstreamRequest | None,
        status: int,
        total_s: float,
        body: bytes | None,
        lines: Headers,
    ) -> None:
        """Take note of every search of a request.

        ``body`` and ``lines`` are those of an answer that went through untouched; None: it was too long, or rewritten.
        ``request`` is what was asked for, for the comparison in shadow mode.
        """
        if not self.wanted(many):
            return
        at, untouched = self._now(), _items(many, body, lines)
        sampled = {place for place, part in enumerate(many.parts) if self._sampled(part.served)}
        requests = _requests(many, request, sampled) if request is not None and sampled else {}
        for place, part in enumerate(many.parts):
            served = part.served
            if not _recorded(served):
                continue
            stage = served.stage or _read(served.raw or untouched.get(place))
            if place in requests:
                task = asyncio.ensure_future(self._compared(part, requests[place], stage, status, total_s, at))
                self._beside.add(task)
                task.add_done_callback(self._beside.discard)
            else:
                self._write(part, stage, status, total_s, at)

    async def settled(self) -> None:
        """Wait for what is still being compared."""
        await asyncio.gather(*self._beside, return_exceptions=True)

    def _sampled(self, served: Served) -> bool:
        """Whether shadow mode compares this search: a share of them, by a hash of the query id."""
        given = served.plan.assignment if served.plan else None
        if given is None or given.mode != "shadow":
            return False
        digest = hashlib.sha256(given.query_id.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:6], "big") / 2**48 < given.experiment.sample

    async def _compared(
        self, part: Part, request: UpstreamRequest, stage: FirstStage | None, status: int, total_s: float, at: datetime
    ) -> None:
        beside = await self._shadow.rerank(request, part.served) if self._shadow.free else None
        self._write(part, stage, status, total_s, at, beside)

    def _write(
        self,
        part: Part,
        stage: FirstStage | None,
        status: int,
        total_s: float,
        at: datetime,
        beside: Served | None = None,
    ) -> None:
        served, plan = part.served, part.served.plan
        if plan is None or plan.assignment is None:
            return
        disposition, times = served.disposition, served.times
        if beside is not None:
            disposition, times = _of_shadow(disposition, beside.disposition), beside.times
        document = exposure.record(
            plan.assignment,
            disposition,
            Page(plan.query, plan.start, plan.size, part.expression),
            Shown() if stage is None else _shown(plan, served, stage),
            Took(total_s * 1000, times.upstream * 1000, times.model * 1000),
            status=status,
            at=at,
            difference=_difference(beside or served),
        )
        self._log.record(plan.assignment.experiment.exposures, plan.assignment.query_id, document)


def _recorded(served: Served) -> bool:
    given = served.plan.assignment if served.plan else None
    return given is not None and not given.forced


def _of_shadow(raw: Disposition, beside: Disposition) -> Disposition:
    """The client got Elasticsearch's order; what is told of the model is what happened beside it."""
    return msgspec.structs.replace(raw, reason=beside.reason or raw.reason, window=beside.window)


def _requests(many: ServedMany, request: UpstreamRequest, places: Collection[int]) -> Mapping[int, UpstreamRequest]:
    """The searches at some places, each as a request that can be asked by itself."""
    found: dict[int, UpstreamRequest] = {}
    items: Sequence[msearch.Item] = ()
    if len(many.parts) > 1 or any(_endpoint(part) in MANY for part in many.parts):
        items = _parsed(request)
        if len(items) != len(many.parts):
            return {}
    for place in places:
        part, plan = many.parts[place], many.parts[place].served.plan
        if plan is not None:
            whole = not items and plan.call.route.endpoint != "template"
            said = items[place].said if items else {}
            found[place] = request if whole else alone(plan.call, part.expression, said, request)
    return found


def _endpoint(part: Part) -> Endpoint | None:
    return part.served.plan.call.route.endpoint if part.served.plan else None


def _parsed(request: UpstreamRequest) -> Sequence[msearch.Item]:
    try:
        items = msearch.parse(coding.body_of(request))
    except coding.Undecodable:
        return ()
    return () if isinstance(items, Passthrough) else items


def _items(many: ServedMany, body: bytes | None, lines: Headers) -> Mapping[int, bytes]:
    """The untouched answer of each search, decoded."""
    if body is None:
        return {}
    try:
        data = coding.decode(body, headers.first(lines, b"content-encoding"), MOST_BYTES * 4)
        if len(many.parts) == 1 and b'"responses"' not in data[:64]:
            return {0: data}
        whole = msearch.read(data, len(many.parts))
    except (coding.Undecodable, coding.TooLong, AnswerUnreadable):
        return {}
    return {place: whole.item(place) for place in range(len(many.parts))}


def _read(data: bytes | None) -> FirstStage | None:
    """An answer's hits; None where there are none to read (an error, a filtered answer)."""
    try:
        return None if data is None else answer.read(data)
    except AnswerUnreadable:
        return None


def _shown(plan: RerankPlan, served: Served, stage: FirstStage) -> Shown:
    """The page that the client got, with each hit's place under every order that is known."""
    if not served.order:  # the client's own page, in Elasticsearch's order
        places: Sequence[int] = range(len(stage.hits))
        ranks = {CONTROL: tuple(plan.start + place + 1 for place in places)}
        return Shown(_ids(stage, places), ranks, total=_total(stage))
    places = [ranked.place for ranked in page.cut(plan, served.order)]
    ranks = {CONTROL: tuple(place + 1 for place in places)}
    if served.teams:
        for name, order in served.teams.items():
            known = {place: rank for rank, place in enumerate(order, 1)}
            ranks[name] = tuple(known.get(place, 0) for place in places)
        return Shown(_ids(stage, places), ranks, tuple(served.drafted.get(place, "") for place in places), _total(stage))
    if plan.assignment is not None and served.disposition.scored:
        ranks[plan.assignment.variant] = tuple(plan.start + step for step in range(1, len(places) + 1))
    return Shown(_ids(stage, places), ranks, total=_total(stage))


def _ids(stage: FirstStage, places: Iterable[int]) -> tuple[str, ...]:
    return tuple(str(stage.raw(stage.hits[place], "_id")) for place in places)


def _total(stage: FirstStage) -> int | None:
    """``hits.total``, a number on request and in Elasticsearch 6's way."""
    member = stage.inner.get("total")
    found = None if member is None else spans.value(stage.data, member.value)
    number = found.get("value") if isinstance(found, dict) else found
    return number if isinstance(number, int) else None


def _difference(served: Served) -> Difference | None:
    """How far the model's order of the window is from Elasticsearch's; None where there is none, or several."""
    window = served.disposition.window
    if not served.order or not served.disposition.scored or window is None or served.teams:
        return None
    places = [ranked.place for ranked in served.order[:window]]
    return difference(sorted(places), places)
