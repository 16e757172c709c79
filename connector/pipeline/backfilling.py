"""Reads every existing record once: resumable, silent, dated by the CRM's own history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.errors import ConnectorError, CrmBusy, CrmDenied, CrmDown
from connector.pipeline.drain import drain
from connector.pipeline.lines import on_line
from connector.pipeline.outgoing import BACKOFF
from connector.pipeline.reads import ORDER, arrivals_of, dated_fields, tied_to
from connector.pipeline.services import Services
from connector.ports import Crm
from connector.stored import BULK, Connection

if TYPE_CHECKING:
    from connector.store.leases import Fence

_PATIENCE = 60.0
Progress = Callable[[str, int], None]


def backfill(services: Services, connection_id: str, progress: Progress) -> dict[str, int]:
    """Read all records of a connection, going on where an earlier run stopped.

    `progress` is told (object, records so far). Returns the number of records by object.
    """
    with services.store.reading() as unit:
        connection = unit.crm(connection_id)
    if connection.state != "active":
        raise ConnectorError(
            f"the connection is {connection.state}", advice="run `connector resume` first"
        )
    with services.store.reading() as unit:
        rows = [unit.backfill(connection.id, kind) for kind in ORDER]
    since = min((row.started_at for row in rows if row and row.state != "done"), default=None)
    run = _Run(services, connection, since or services.now())
    counts = {kind: _object(run, kind, progress) for kind in ORDER}
    with services.store.writing() as unit:
        for kind in ORDER:
            unit.set_backfill(connection, kind, run.state(None, counts[kind], "done"))
    drain(services, connection.account_id)
    return counts


@dataclass(frozen=True, slots=True)
class _Run:
    """One backfill, however often it was interrupted."""

    services: Services
    connection: Connection
    started_at: datetime

    @property
    def cause(self) -> str:
        """Name the run, so that all it moves is one batch."""
        return f"backfill:{self.connection.id}@{self.started_at.timestamp():.6f}"

    def state(self, after: str | None, done: int, state: str) -> dict[str, object]:
        """Return how far this run is, to be stored."""
        now = self.services.now()
        told = {"after": after, "done": done, "state": state}
        return {**told, "started_at": self.started_at, "updated_at": now}


def _object(run: _Run, kind: str, progress: Progress) -> int:
    """Read one object page by page; each page is durable before the next is asked for."""
    services, connection = run.services, run.connection
    with services.store.reading() as unit:
        row = unit.backfill(connection.id, kind)
    running = row is not None and row.state != "done"
    after, done = (row.after, row.done) if running else (None, 0)
    if running and after is None and done:
        return int(done)  # this object was read to its end before the run stopped
    while True:
        try:
            after, count = _page(run, kind, after, done)
        except CrmDenied:
            return done
        done += count
        progress(kind, done)
        drain(services, connection.account_id)
        if after is None:
            return done


def _page(run: _Run, kind: str, after: str | None, done: int) -> tuple[str | None, int]:
    """Read one page under the connection's lease, waiting for the CRM where it asks for it."""
    failures = 0
    while True:
        try:
            with on_line(run.services, run.connection) as (fence, crm):
                return _keep(run, kind, (after, done), fence, crm)
        except (CrmBusy, CrmDown) as error:
            failures += not isinstance(error, CrmBusy)
            if failures > len(BACKOFF):
                raise
            wait = max(error.retry_in or 1.0, BACKOFF[failures - 1] if failures else 0.0)
        run.services.pause(min(wait, _PATIENCE))


def _keep(
    run: _Run, kind: str, where: tuple[str | None, int], fence: Fence, crm: Crm
) -> tuple[str | None, int]:
    services, connection = run.services, run.connection
    after, done = where
    with services.store.reading() as unit:
        versions = unit.lookups(connection.account_id)[connection.id]
    lookup = versions[max(versions)]
    page = crm.page(kind, after, lookup.mapping.names(kind), dated_fields(lookup, kind))
    ids = [reading.record_id for reading in page.readings]
    tied = tied_to(crm, lookup, kind, ids, services.now())
    now = services.now()
    arrivals = [
        replace(arrival, lane=BULK, silent=True, trace=run.cause)
        for arrival in arrivals_of(connection, kind, page.readings, now, tied)
    ]
    state = "running" if page.after else "read"
    with services.store.writing(fence) as unit:
        unit.add_events(connection.account_id, arrivals)
        count = done + len(arrivals)
        unit.set_backfill(connection, kind, run.state(page.after, count, state))
    return page.after, len(arrivals)
