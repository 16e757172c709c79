"""One connection's traffic to its CRM: reads and writes, under the connection's lease."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from connector import trace
from connector.domain.errors import (
    ConnectorError,
    CrmBusy,
    CrmDenied,
    CrmDown,
    CrmError,
    CrmRefused,
    CrmRevoked,
)
from connector.domain.systems import CRMS, PLATFORM
from connector.pipeline.clocked import hand_next
from connector.pipeline.connecting import refresh_words
from connector.pipeline.creating import send_people
from connector.pipeline.deals import send_deals
from connector.pipeline.guarded import finish_journal, send_guarded
from connector.pipeline.housekeeping import WORDS_LAST
from connector.pipeline.installing import refresh_labels
from connector.pipeline.lines import open_line
from connector.pipeline.notifying import notify
from connector.pipeline.owners import send_owners
from connector.pipeline.reads import read_next
from connector.pipeline.reconciling import poll_next
from connector.pipeline.recycling import recycle
from connector.pipeline.send import Sending, send_opt_outs, send_own
from connector.pipeline.services import Services
from connector.pipeline.untouched import send_tasks
from connector.stored import BULK, LIVE, Claim, Connection, Pending, Purpose

if TYPE_CHECKING:
    from connector.store.leases import Fence
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# Seconds until a CRM that failed is tried again, by failures in a row.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
# A shorter wait is sat out under the lease; a longer one gives it back.
PATIENCE = 0.25
AT_ONCE = 100

_SEND: dict[Purpose, Callable[[Sending, list[Pending]], None]] = {
    Purpose.OWN: send_own,
    Purpose.ERASE: send_own,
    Purpose.STAGE: send_guarded,
    Purpose.RESTORE: send_guarded,
    Purpose.LEVER: send_guarded,
    Purpose.OPT_OUT: send_opt_outs,
    Purpose.STATUS: send_guarded,
    Purpose.OWNER: send_owners,
    Purpose.DEAL: send_deals,
    Purpose.TASK: send_tasks,
    Purpose.CREATE: send_people,
}


def deliver(services: Services, connection_id: str, turn: timedelta | None = None) -> int:
    """Do whatever waits at a connection; return how many batches that was.

    After a `turn` what is left has to queue up again, behind other work.
    """
    with services.store.reading() as unit:
        connection = unit.connection(connection_id)
    if not _awake(services, connection):
        return 0
    if connection.system == PLATFORM:
        return notify(services, connection, turn)
    if connection.system not in CRMS:
        return 0
    return _deliver(services, connection, turn) + recycle(services, connection)


def _deliver(services: Services, connection: Connection, turn: timedelta | None) -> int:
    fence = services.store.take(f"connection:{connection.id}")
    if fence is None:
        return 0
    note: Any = fence.note
    try:
        line = open_line(services, connection, fence)
        sending = Sending(services, connection, fence, line.crm)
        try:
            return _work(sending, services.now() + turn if turn else None)
        finally:
            note = line.state()
    except CrmError as error:
        _step_back(services, connection, fence, _confirmed(services, connection, fence, error))
        return 0
    finally:
        services.store.drop(fence, note)


def _confirmed(
    services: Services, connection: Connection, fence: Fence, error: CrmError
) -> CrmError:
    """Ask once more before credentials count as dead: one refusal may be a hiccup of the CRM."""
    if not isinstance(error, CrmRevoked):
        return error
    try:
        open_line(services, connection, fence).crm.prove()
    except CrmError as again:
        return again
    return CrmDown(f"{error}, but did a moment later")


def _awake(services: Services, connection: Connection) -> bool:
    rest_until = connection.rest_until
    resting = rest_until is not None and rest_until > services.now()
    return connection.state == "active" and not resting


def _work(sending: Sending, end: datetime | None) -> int:
    """Take turns until nothing waits: what was interrupted, opt-outs, people, then bulk."""
    with sending.services.store.writing(sending.fence) as unit:
        unit.recover(sending.connection.id, sending.fence.token, sending.services.now())
    finish_journal(sending)
    batches, failing = 0, sending.connection.failures > 0
    while True:
        try:
            worked = _turn(sending)
        except CrmBusy as error:
            wait = error.retry_in or 1.0
            if wait > PATIENCE:
                raise
            sending.services.pause(wait)
            continue
        if not worked:
            break
        batches += 1
        failing = failing and _recover(sending)
        if end and sending.services.now() > end:
            sending.services.wake("deliver", sending.connection.id)
            break
    _keep_fresh(sending)
    if sending.connection.labels == "stale":
        refresh_labels(sending.services, sending.connection, sending.fence, sending.crm)
    if failing:
        _recover(sending)
    return batches


def _recover(sending: Sending) -> bool:
    """Begin anew to count failures: some work was done, whatever fails later. False: no more."""
    with sending.services.store.writing(sending.fence) as unit:
        unit.rest(sending.connection.id, None, 0)
        _explain(unit, sending.connection, "")
    return False


def _keep_fresh(sending: Sending) -> None:
    """Renew the token where it is due, and read the portal's options again where they are old."""
    read_at, now = sending.connection.read_at, sending.services.now()
    if sending.connection.renew_at is not None and sending.connection.renew_at <= now:
        sending.crm.prove()
    if read_at is None or now - read_at > WORDS_LAST:
        refresh_words(sending.services, sending.connection, sending.crm)


def _turn(sending: Sending) -> bool:
    """Do one batch: opt-outs, people's work, then bulk, as long as it leaves room for people."""
    services, own = sending.services, sending.connection.id
    lane = LIVE if sending.crm.bulk_wait() > 0 else BULK
    with services.store.writing(sending.fence) as unit:
        state = unit.connection(own).state
        rows = unit.claim(own, services.now(), Claim(sending.fence.token, AT_ONCE, lane))
    if state != "active":
        _give_back(sending, rows)
        return False
    with trace.following(row.trace for row in rows):
        return _do(sending, rows, lane)


def _do(sending: Sending, rows: list[Pending], lane: int) -> bool:
    """Send a batch of writes, or read where there is none; say whether there was work."""
    services, began = sending.services, time.perf_counter()
    try:
        if rows:
            _SEND[rows[0].purpose](sending, rows)
            log.info(
                "writes_sent",
                connection=sending.connection.id,
                purpose=str(rows[0].purpose),
                count=len(rows),
                dur_ms=round((time.perf_counter() - began) * 1000, 1),
            )
            return True
        return read_next(sending, lane) or hand_next(sending) or poll_next(sending)
    except (CrmDenied, CrmRefused) as error:
        sending.park(rows, str(error))
        return True
    except (CrmBusy, CrmRevoked):  # refused, and surely not done
        _give_back(sending, rows)
        raise
    except (ConnectorError, OSError):
        # The reply may be lost, and not the write.
        with services.store.writing(sending.fence) as unit:
            own = [row.record for row in rows if row.purpose is Purpose.OWN]
            unit.doubt(own, services.now())
        _give_back(sending, rows)
        raise


def _give_back(sending: Sending, rows: list[Pending]) -> None:
    """Put claimed writes back in line; whoever comes next checks what the CRM holds."""
    if rows:
        sending.later(rows, "", 0.0)


def _explain(unit: Unit, connection: Connection, reason: str) -> None:
    """Say why a connection rests; one that was paused meanwhile stays paused."""
    if unit.connection(connection.id).state == "active":
        unit.set_state(connection.id, "active", reason)


def _step_back(services: Services, connection: Connection, fence: Fence, error: CrmError) -> None:
    """Leave a CRM alone for a while, or pause the connection where only an admin can help."""
    with services.store.reading() as unit:
        until, failures = None, unit.connection(connection.id).failures
    if isinstance(error, CrmBusy):
        until = services.now() + timedelta(seconds=error.retry_in or 10.0)
    elif isinstance(error, CrmDown):
        failures += 1
        wait = max(error.retry_in or 0.0, BACKOFF[min(failures, len(BACKOFF)) - 1])
        until = services.now() + timedelta(seconds=wait)
    with services.store.writing(fence) as unit:
        if isinstance(error, CrmRevoked):
            unit.set_state(connection.id, "revoked", str(error))
        elif until is None:
            _explain(unit, connection, str(error))
            failures += 1
            until = services.now() + timedelta(seconds=BACKOFF[-1])
        unit.rest(connection.id, until, failures)
    log.warning(
        "crm_unavailable",
        connection=connection.id,
        kind=type(error).__name__,
        reason=str(error),
    )
