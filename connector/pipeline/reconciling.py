"""The poller: finds what webhooks missed, page by page, and hands it to the inbox.

A pass is a row: each page is durable, with where to go on, before the next is asked for. Pages
are taken under the connection's lease, so there is one pass at a time, whoever works on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import ConnectorError, CrmBusy, CrmDenied, CrmDown, CrmRefused
from connector.domain.facts import RecordKey
from connector.mapping.lookup import Lookup
from connector.pipeline.differing import differing
from connector.pipeline.drain import drain
from connector.pipeline.lines import on_line
from connector.pipeline.reads import ORDER, Tied, arrivals_of, dated_fields, tied_to
from connector.pipeline.send import Sending
from connector.pipeline.services import Services
from connector.ports import Mark, Reading
from connector.stored import BULK, Arrival, Connection, Poll

if TYPE_CHECKING:
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# What is younger counts as if its webhook had come (DESIGN 4).
LIVE_FOR = timedelta(hours=48)
# The archive bears no order of time and is read whole, so the clock's passes do it rarely.
SWEEP_EVERY = timedelta(hours=6)
# Seconds until a CRM that failed is asked again, by failures in a row.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_PATIENCE = 60.0
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What one page brought: readings that differ, what was looked at, and where to go on."""

    arrivals: Sequence[Arrival]
    after: str | None
    marks: Sequence[Mark] = ()
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a pass, about to be asked for."""

    sending: Sending
    lookup: Lookup
    kind: str
    poll: Poll

    @property
    def fields(self) -> tuple[Sequence[str], Sequence[str]]:
        """Which fields are read, and which of them with their history."""
        return self.lookup.mapping.names(self.kind), dated_fields(self.lookup, self.kind)

    def allowed(self, unit: Unit, ids: Collection[str]) -> list[str]:
        """Leave out the ids of erased people's records."""
        keys = {one: RecordKey(self.sending.connection.id, self.kind, one) for one in ids}
        names = ["/".join(key) for key in keys.values()]
        graves = unit.buried(self.sending.connection.account_id, names)
        return [one for one, key in keys.items() if "/".join(key) not in graves]

    def differing(self, readings: Sequence[Reading], tied: Tied | None) -> list[Arrival]:
        """Return the readings that tell something new as events for the inbox."""
        services, connection = self.sending.services, self.sending.connection
        now = services.now()
        live_since = (self.poll.started_at - LIVE_FOR).isoformat()
        cause = f"reconcile:{connection.id}@{self.poll.started_at.timestamp():.6f}"
        arrivals = [
            replace(
                one,
                event=replace(one.event, data={**one.event.data, "live_since": live_since}),
                lane=BULK,
                silent=True,
                trace=cause,
            )
            for one in arrivals_of(connection, self.kind, readings, now, tied)
        ]
        return differing(services, connection.account_id, arrivals, now)


def poll_next(sending: Sending) -> bool:
    """Do the next page of the pass that is due by the clock; say whether there was one."""
    services, now = sending.services, sending.services.now()
    with services.store.reading() as unit:
        poll = unit.polls.get(sending.connection.id)
    if services.poll_every is None or (poll is not None and poll.due_at > now):
        return False
    if poll is None or poll.state != "running":
        poll = _begin(poll, now)
    return _advance(sending, poll)


def reconcile(services: Services, connection_id: str, progress: Progress) -> int:
    """Do one whole pass now, deleted records included; return how many records differed.

    A pass that runs already is ended first. `progress` is told (object, records that differ).
    """
    with services.store.reading() as unit:
        connection = unit.crm(connection_id)
    if connection.state != "active":
        raise ConnectorError(
            f"the connection is {connection.state}", advice="run `connector resume` first"
        )
    _finish(services, connection, progress)
    with on_line(services, connection) as (fence, _), services.store.writing(fence) as unit:
        poll = unit.polls.get(connection.id)
        running = poll if poll and poll.state == "running" else _begin(poll, services.now())
        unit.polls.put(connection, replace(running, sweeps=True))
    return _finish(services, connection, progress)


def _finish(services: Services, connection: Connection, progress: Progress) -> int:
    """Work on the pass that runs until it has ended; return what the last one found."""
    with services.store.reading() as unit:
        poll = unit.polls.get(connection.id)
    own = poll.started_at if poll else None
    failures = 0
    while poll is not None and poll.state == "running" and poll.started_at == own:
        before, poll = poll.failures, _take_page(services, connection, poll)
        failures += poll.failures > before
        if failures > len(BACKOFF):
            raise CrmDown(poll.reason)
        progress(ORDER[poll.place % len(ORDER)], poll.differed)
        drain(services, connection.account_id)
        wait = (poll.due_at - services.now()).total_seconds()
        if poll.state == "running" and wait > 0:
            services.pause(min(wait, _PATIENCE))
    return poll.found if poll else 0


def _take_page(services: Services, connection: Connection, poll: Poll) -> Poll:
    """Do a page of a pass under the connection's lease, unless a worker got there first."""
    with on_line(services, connection) as (fence, crm):
        with services.store.reading() as unit:
            now = unit.polls.get(connection.id) or poll
        if now.state == "running" and now.due_at <= services.now():
            _advance(Sending(services, connection, fence, crm), now)
        with services.store.reading() as unit:
            return unit.polls.get(connection.id) or poll


def _begin(last: Poll | None, now: datetime) -> Poll:
    """Return a pass at its start, knowing what is kept of the last one."""
    if last is None:
        return Poll(now, now, sweeps=True)
    sweeps = last.swept_at is None or now - last.swept_at >= SWEEP_EVERY
    kept = Poll(now, now, sweeps=sweeps, found=last.found)
    return replace(kept, ended_at=last.ended_at, swept_at=last.swept_at)


def _advance(sending: Sending, poll: Poll) -> bool:
    """Do one page of a pass and keep it; a CRM that is busy or down holds up the pass only."""
    look, kind = STEPS[poll.place]
    wait = sending.crm.bulk_wait()
    if wait > 0:
        _put_off(sending, poll, wait)
        return False
    try:
        found = look(_Page(sending, sending.lookup(), kind, poll))
    except CrmBusy as error:
        _put_off(sending, replace(poll, reason=str(error)), error.retry_in or 1.0)
        return False
    except CrmDown as error:
        later = replace(poll, failures=poll.failures + 1, reason=str(error))
        wait = BACKOFF[min(later.failures, len(BACKOFF)) - 1]
        _put_off(sending, later, max(error.retry_in or 0.0, wait))
        return False
    except (CrmDenied, CrmRefused) as error:
        log.warning("object_not_polled", object=kind, reason=str(error))
        found = Found((), None)
        poll = replace(poll, newest=None)
    _keep(sending, kind, poll, found)
    return True


def _put_off(sending: Sending, poll: Poll, seconds: float) -> None:
    due_at = sending.services.now() + timedelta(seconds=seconds)
    with sending.services.store.writing(sending.fence) as unit:
        unit.polls.put(sending.connection, replace(poll, due_at=due_at))


def _keep(sending: Sending, kind: str, poll: Poll, found: Found) -> None:
    """Store a page in one transaction: what it found, that it was seen, and where to go on."""
    services, connection = sending.services, sending.connection
    newest = max((one for one in (poll.newest, found.newest) if one), default=None)
    poll = replace(
        poll,
        newest=newest,
        after=found.after,
        differed=poll.differed + len(found.arrivals),
        failures=0,
        reason="",
    )
    with services.store.writing(sending.fence) as unit:
        unit.add_events(connection.account_id, found.arrivals)
        unit.polls.see(connection, kind, found.marks)
        if found.after is None:
            if newest is not None:
                _mark(unit, sending, kind, min(poll.started_at, newest))
            poll = _onward(services, poll)
        unit.polls.put(connection, poll)
    if found.arrivals:
        services.wake("drain", connection.account_id)


def _mark(unit: Unit, sending: Sending, kind: str, known: datetime) -> None:
    """Keep up to when an object's changes are known, and forget what no search finds again."""
    connection = sending.connection
    at = max(known, unit.polls.watermark(connection, kind))
    unit.polls.set_watermark(connection, kind, at)
    unit.polls.forget(connection, kind, at - sending.services.poll_overlap)


def _onward(services: Services, poll: Poll) -> Poll:
    """Go on with the next object, or end the pass behind the last."""
    place, now = poll.place + 1, services.now()
    poll = replace(poll, place=place, newest=None, due_at=now)
    if place < (len(STEPS) if poll.sweeps else len(ORDER)):
        return poll
    every = services.poll_every or timedelta()
    return replace(
        poll,
        state="done",
        place=0,
        found=poll.differed,
        ended_at=now,
        swept_at=poll.started_at if poll.sweeps else poll.swept_at,
        due_at=max(now, poll.started_at + every),
    )


def _changed(page: _Page) -> Found:
    """Read what was changed since the watermark, but what was looked at since."""
    sending, kind = page.sending, page.kind
    services, connection, crm = sending.services, sending.connection, sending.crm
    with services.store.reading() as unit:
        since = unit.polls.watermark(connection, kind) - services.poll_overlap
    changed = crm.changed(kind, since, page.poll.after)
    with services.store.reading() as unit:
        fresh = unit.polls.fresh(connection, kind, changed.marks)
        hushed = unit.polls.hushed(connection, kind, [mark.record_id for mark in fresh])
        ids = page.allowed(unit, [m.record_id for m in fresh if m.record_id not in hushed])
    tied = tied_to(crm, page.lookup, kind, ids, services.now())
    readings = crm.read(kind, ids, *page.fields) if ids else []
    newest = max((mark.stamp for mark in changed.marks), default=None)
    return Found(page.differing(readings, tied), changed.after, fresh, newest)


def _deleted(page: _Page) -> Found:
    """Read the deleted records: those that we thought there, and all since we last looked."""
    sending, kind, poll = page.sending, page.kind, page.poll
    services, connection = sending.services, sending.connection
    found = sending.crm.archive(kind, poll.after, *page.fields)
    with services.store.reading() as unit:
        since = (poll.swept_at or unit.polls.began(connection)) - services.poll_overlap
        alive = unit.polls.alive(connection, kind, [one.record_id for one in found.readings])
        news = [one for one in found.readings if _is_missed(one, alive, since)]
        ids = page.allowed(unit, [one.record_id for one in news])
    return Found(page.differing([one for one in news if one.record_id in ids], None), found.after)


def _is_missed(reading: Reading, alive: Mapping[str, bool], since: datetime) -> bool:
    """Say whether we thought a deleted record there, or have not looked at it since its end.

    We may have heard of its deletion and not of what it held before.
    """
    young = reading.ended_at is not None and reading.ended_at >= since
    return young or alive.get(reading.record_id, False)


Look = Callable[[_Page], Found]
_LOOKS: tuple[Look, ...] = (_changed, _deleted)
STEPS = tuple((look, kind) for look in _LOOKS for kind in ORDER)
