"""Many searches in one request: each is planned on its own merits, all are asked for at once, and reranked together.

Elasticsearch gets one ``_msearch`` in which the searches that can be reranked are wider; their answers come back with
the others untouched. A widened search that fails is asked for again as it came, together with the others that did.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from es_rerank.core.policy import IndexPolicy
from es_rerank.core.ports import Clock, Headers, Upstream, UpstreamRequest, UpstreamResponse
from es_rerank.core.reasons import Disposition, Outcome, Passthrough, Reason
from es_rerank.core.resolve import resolve
from es_rerank.errors import AnswerUnreadable, UpstreamError
from es_rerank.search import headers, msearch, request, ubi, widen
from es_rerank.search.answer import FirstStage
from es_rerank.search.msearch import Item
from es_rerank.search.plan import RerankPlan
from es_rerank.search.route import SearchRoute
from es_rerank.service import coding, first_stage
from es_rerank.service.enrolment import Enrolment
from es_rerank.service.served import Complete, Part, Served, ServedMany, Times
from es_rerank.service.stages import Stages, told

_UNCHANGED_BYTES = 4 * 1024**2
"""What an answer may grow by for each search that is not widened."""

_MOST_BYTES = 64 * 1024**2


class _Many(msgspec.Struct, frozen=True):
    """A request under way: its searches, what came of some already, and the plans of the others."""

    original: UpstreamRequest
    items: tuple[Item, ...]
    settled: dict[int, Part]
    wide: dict[int, RerankPlan]
    started: float

    def parts(self, served: Mapping[int, Served] | None = None) -> tuple[Part, ...]:
        """All of them in order; ``served`` says what came of those that were planned."""
        made = {
            place: Part(self.wide[place].resolved.expression, self.wide[place].policy.name, found)
            for place, found in (served or {}).items()
        }
        return tuple(part for _, part in sorted((self.settled | made).items()))

    def seen(self, answer: msearch.Answer) -> _Many:
        """The same, where searches that stay as they are but belong to an experiment know what came of them."""
        settled = {
            place: msgspec.structs.replace(part, served=msgspec.structs.replace(part.served, raw=answer.item(place)))
            if part.served.plan is not None
            else part
            for place, part in self.settled.items()
        }
        return msgspec.structs.replace(self, settled=settled)

    @property
    def most_bytes(self) -> int:
        """How large the answer may be."""
        wanted = sum(planned.policy.widen.max_bytes for planned in self.wide.values())
        return min(wanted + _UNCHANGED_BYTES * len(self.settled), _MOST_BYTES)

    def lines(self) -> bytes:
        """The body with the planned searches in their wider form."""
        return b"".join(
            item.with_body(widen.widened_body(self.wide[place])) if place in self.wide else item.lines
            for place, item in enumerate(self.items)
        )


class MultiSearchService:
    """Answers ``_msearch``. ``policies`` gives the configuration in force."""

    def __init__(
        self,
        upstream: Upstream,
        stages: Stages,
        policies: Callable[[], Sequence[IndexPolicy]],
        clock: Clock,
        enrolment: Enrolment,
    ) -> None:
        self._upstream = upstream
        self._enrolment = enrolment
        self._stages = stages
        self._policies = policies
        self._clock = clock

    def any_policies(self) -> bool:
        """Whether any search of any request can be covered at all."""
        return bool(self._policies())

    async def search(self, original: UpstreamRequest, asked: Headers, found: SearchRoute) -> ServedMany:
        """Walk all searches of one request; raises UpstreamUnreachable and UpstreamTimeout."""
        items = _items(original)
        if isinstance(items, Passthrough):
            return ServedMany((_passed(found, items.reason),))
        many = self._many(original, items, asked, found)
        served = await self._walk(many) if many.wide else ServedMany(many.parts())
        return served if many.original is original else msgspec.structs.replace(served, request=many.original)

    def _many(self, original: UpstreamRequest, items: Sequence[Item], asked: Headers, found: SearchRoute) -> _Many:
        """All searches before Elasticsearch is asked; those in other words take the places of what they stand for."""
        decided = [self._planned(item, asked, item.route(found)) for item in items]
        understood = tuple(item for item, _ in decided)
        if any(mine is not theirs for mine, theirs in zip(understood, items, strict=True)):
            original = widen.carrying(original, b"".join(item.lines for item in understood))
        settled = {place: part for place, (_, part) in enumerate(decided) if isinstance(part, Part)}
        wide = {place: planned for place, (_, planned) in enumerate(decided) if isinstance(planned, RerankPlan)}
        return _Many(original, understood, settled, wide, self._clock())

    async def _walk(self, many: _Many) -> ServedMany:
        times, original = Times(), many.original
        got = await first_stage.ask(self._upstream, widen.carrying(original, many.lines()), many.most_bytes)
        times.upstream = self._clock() - many.started
        if isinstance(got, Reason):
            return self._as_it_came(many, got, times)
        if got.status in first_stage.HAND_ON:
            handed = Complete(got.status, got.headers, got.body)
            return ServedMany(
                many.parts({place: _handed_on(times, planned) for place, planned in many.wide.items()}), handed
            )
        answer = _read(got, many.most_bytes, len(many.items))
        if isinstance(answer, Reason):
            return self._as_it_came(many, answer, times)
        return await self._finish(many, got, answer, times)

    def answered(self, many: ServedMany, status: int) -> None:
        """Hear how the original fared that was sent instead."""
        for part in many.parts:
            self._stages.answered(part.served, status)

    def _planned(self, item: Item, asked: Headers, found: SearchRoute) -> tuple[Item, RerankPlan | Part]:
        """One search before Elasticsearch is asked: a plan to widen it, or what came of it already."""
        covered = resolve(found.expression, self._policies(), datetime.now(UTC))
        if isinstance(covered, Passthrough):
            return item, _passed(found, covered.reason)
        wanted = headers.control(asked, covered.lead)
        if not isinstance(wanted, Passthrough):
            wanted = msgspec.structs.replace(wanted, query=None)  # no query is that of every search
        call = request.parse(found, b"application/json", item.body)
        call, told = ubi.taken(call, covered.lead.experiment)
        if told.body is not None:
            item = msgspec.structs.replace(item, body=told.body)
        translated, decided = self._enrolment.decide(call, covered, wanted, asked, told)
        if translated is not None and translated.body is not None:
            item = msgspec.structs.replace(item, body=translated.body)
        if isinstance(decided, Passthrough):
            return item, _passed(found, decided.reason, covered.lead.name)
        left_alone = self._stages.admit(decided)
        return item, Part(covered.expression, covered.lead.name, left_alone) if left_alone else decided

    def _as_it_came(self, many: _Many, reason: Reason, times: Times) -> ServedMany:
        """The whole request is to be sent as it came."""
        self._stages.replayed()
        served = {place: self._stages.replay(reason, planned, times) for place, planned in many.wide.items()}
        return ServedMany(many.parts(served))

    async def _finish(self, many: _Many, got: UpstreamResponse, answer: msearch.Answer, times: Times) -> ServedMany:
        """Rerank what came well, ask again for what did not, and put it all together."""
        begun = self._clock()
        read = {place: self._stage(answer.item(place), planned) for place, planned in many.wide.items()}
        stages = {place: stage for place, stage in read.items() if isinstance(stage, FirstStage)}
        failed = {place: why for place, why in read.items() if isinstance(why, Reason) and why is not Reason.UPSTREAM_ERROR}
        async with asyncio.TaskGroup() as group:
            again = group.create_task(self._again(many, list(failed)))
            tasks = {
                place: group.create_task(self._stages.rerank(many.wide[place], stage, many.started, Times(times.upstream)))
                for place, stage in stages.items()
            }
        second = again.result()
        if second is None:
            return self._as_it_came(many, next(iter(failed.values())), times)
        served = {place: _handed_on(times, many.wide[place]) for place, why in read.items() if why is Reason.UPSTREAM_ERROR}
        changed = dict(zip(failed, second, strict=True))
        for place, task in tasks.items():
            served[place], changed[place] = task.result()
        for place, reason in failed.items():
            served[place] = self._stages.replay(reason, many.wide[place], times)
            self._stages.answered(served[place], msearch.status(changed[place]))
        added_ms = math.ceil((self._clock() - begun) * 1000)
        return ServedMany(many.seen(answer).parts(served), first_stage.around(got, msearch.join(answer, changed, added_ms)))

    def _stage(self, item: bytes, planned: RerankPlan) -> FirstStage | Reason:
        """Take one answer apart; UPSTREAM_ERROR where it is to be handed on, else why it is to be asked for again."""
        fared = msearch.status(item)
        if fared in first_stage.HAND_ON:
            return Reason.UPSTREAM_ERROR
        if not 200 <= fared < 300:  # noqa: PLR2004  success
            return Reason.WIDENING_REFUSED
        return self._stages.read(item, planned)

    async def _again(self, many: _Many, places: Sequence[int]) -> list[bytes] | None:
        """The answers to some searches as they came; None where they cannot be had by themselves."""
        if not places:
            return []
        self._stages.replayed()
        body = b"".join(many.items[place].lines for place in places)
        try:
            got = await first_stage.ask(self._upstream, widen.carrying(many.original, body), _MOST_BYTES)
        except UpstreamError:
            return None
        if isinstance(got, Reason) or got.status in first_stage.HAND_ON:
            return None
        found = _read(got, _MOST_BYTES, len(places))
        return None if isinstance(found, Reason) else [found.item(place) for place in range(len(places))]


def _items(original: UpstreamRequest) -> tuple[Item, ...] | Passthrough:
    try:
        body = coding.body_of(original)
    except coding.Undecodable:
        return Passthrough(Reason.NOT_JSON)
    if not headers.is_json(headers.first(original.headers, b"content-type")):
        return Passthrough(Reason.NOT_JSON)
    return msearch.parse(body)


def _read(got: UpstreamResponse, max_bytes: int, count: int) -> msearch.Answer | Reason:
    data = first_stage.decoded(got, max_bytes)
    if isinstance(data, Reason):
        return data
    try:
        return msearch.read(data, count)
    except AnswerUnreadable:
        return Reason.NOT_JSON


def _passed(found: SearchRoute, reason: Reason, policy: str = "") -> Part:
    return Part(found.expression or "_all", policy, Served(Disposition(Outcome.PASSED_THROUGH, reason)))


def _handed_on(times: Times, planned: RerankPlan) -> Served:
    """Elasticsearch's own error, which no narrower search would mend."""
    return Served(told(Disposition(Outcome.PASSED_THROUGH, Reason.UPSTREAM_ERROR), planned), times=times, plan=planned)
