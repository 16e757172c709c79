"""Moves are told to the platform: in order for each visitor, again until they are taken."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import ConfigurationRefused, CrmDown, CrmRefused, NotFound
from connector.domain.notices import Names, Notice, Target
from connector.domain.slots import Slot
from connector.domain.systems import PLATFORM
from connector.pipeline.send import MOST_ATTEMPTS, RETRY
from connector.pipeline.services import Services
from connector.ports_platform import Message, Reply
from connector.stored import Connection, State

if TYPE_CHECKING:
    from connector.ports_platform import Courier
    from connector.store.leases import Fence

log = structlog.get_logger(__name__)
AT_ONCE = 50
GONE = 410  # "the receiver is gone for good" (standardwebhooks.com, "Deliverability")
BUSY = 429
BROKEN = 500


def notify(services: Services, connection: Connection, turn: timedelta | None = None) -> int:
    """Tell whatever waits at a connection; return how many notices were told.

    After a `turn` what is left has to queue up again, behind other work.
    """
    courier, told = services.courier, 0
    fence = services.store.take(f"connection:{connection.id}") if courier else None
    if fence is None or courier is None:
        return 0
    end = services.now() + turn if turn else None
    try:
        while (sent := _some(services, courier, connection, fence, end=end)) > 0:
            told += sent
            if end and services.now() > end:
                services.wake("deliver", connection.id)
                break
    except CrmDown as error:
        _rest(services, connection, fence, str(error))
    finally:
        services.store.drop(fence)
    return told


def _some(
    services: Services,
    courier: Courier,
    connection: Connection,
    fence: Fence,
    *,
    end: datetime | None,
) -> int:
    with services.store.reading() as unit:
        waiting = unit.notices.waiting(connection, services.now(), AT_ONCE)
    done = 0
    for one in waiting:
        _one(services, courier, fence, one)
        done += 1
        if end and services.now() > end:
            break
    if done and connection.failures:
        with services.store.writing(fence) as unit:
            unit.rest(connection.id, None, 0)
    return done


def _one(services: Services, courier: Courier, fence: Fence, one: Notice) -> None:
    """Tell one move; what happens to it after the call is stored whatever it was."""
    ready = _ready(services, fence, one)
    if ready is None:
        return
    target, body = ready
    message = Message(one.message, int(services.now().timestamp()), body)
    try:
        reply = courier.tell(target.url, target.secret, message)
    except (CrmRefused, CrmDown) as error:
        _again(services, fence, one, str(error))
        if isinstance(error, CrmDown):
            raise
        return
    _conclude(services, fence, one, reply)


def _ready(services: Services, fence: Fence, one: Notice) -> tuple[Target, bytes] | None:
    """Return what to send, checked in the transaction after which the call begins."""
    with services.store.writing(fence) as unit:
        target = unit.notices.target(one.connection_id)
        profile = unit.people.profile(one.account_id, one.profile_id)
        names = unit.notices.names(one.account_id, one.profile_id)
        hushed = profile is not None and profile.slot is Slot.DO_NOT_CONTACT
        reasons = {
            "the moves are told nowhere any more": target is None,
            "the profile is gone": profile is None,
            "the platform does not know this visitor": not names,
            "opted out": hushed and one.goal != Slot.DO_NOT_CONTACT,
            "overtaken": unit.notices.is_overtaken(one),
        }
        reason = next((reason for reason, holds in reasons.items() if holds), "")
        if reason:
            unit.notices.settle(one, State.DROPPED, services.now(), reason)
        if target is None or reason or not unit.notices.waits(one):
            return None
    return target, json.dumps(body_of(one, names)).encode()


def body_of(one: Notice, names: Names) -> dict[str, object]:
    """Return a move or a score as the platform reads it; by `move_id` we know a move's echo."""
    whole = {
        "id": one.message,
        "type": "score_changed" if one.score_state else "stage_changed",
        "occurred_at": one.occurred_at.isoformat().replace("+00:00", "Z"),
        "visitor": {
            "device_ids": list(names.devices),
            "user_ids": list(names.users),
            "email": names.emails[-1] if names.emails else None,
        },
    }
    if one.score_state:
        return {**whole, "score": one.score, "score_state": one.score_state}
    return {
        **whole,
        "from": one.start,
        "to": one.goal,
        "actor": one.actor,
        "move_id": f"bnb_move_{one.move_id}",
    }


def _conclude(services: Services, fence: Fence, one: Notice, reply: Reply) -> None:
    if 200 <= reply.status < 300:  # noqa: PLR2004 - HTTP's own
        with services.store.writing(fence) as unit:
            unit.notices.settle(one, State.SENT, services.now())
        return
    reason = f"the platform answered {reply.status}"
    if reply.status == GONE:
        with services.store.writing(fence) as unit:
            unit.notices.settle(one, State.PARKED, services.now(), reason)
        return
    _again(services, fence, one, reason, reply.retry_in)
    if reply.status == BUSY or reply.status >= BROKEN:
        raise CrmDown(reason, retry_in=reply.retry_in)


def _again(
    services: Services, fence: Fence, one: Notice, reason: str, wait: float | None = None
) -> None:
    """Have a notice told again, or put it aside after too many attempts."""
    delay = max(RETRY[min(one.attempts, len(RETRY) - 1)], wait or 0.0)
    with services.store.writing(fence) as unit:
        if one.attempts + 1 >= MOST_ATTEMPTS:
            unit.notices.settle(one, State.PARKED, services.now(), reason)
        else:
            unit.notices.later(one, services.now() + timedelta(seconds=delay), reason)


def _rest(services: Services, connection: Connection, fence: Fence, reason: str) -> None:
    """Leave a place alone for a while: where nobody answers, not everything is tried in turn."""
    failures = connection.failures + 1
    wait = RETRY[min(failures, len(RETRY)) - 1]
    with services.store.writing(fence) as unit:
        unit.rest(connection.id, services.now() + timedelta(seconds=wait), failures)
    log.warning("target_unavailable", connection=connection.id, reason=reason, again_in=wait)


def aim(
    services: Services, connection: Connection, url: str, secret: str, *, silent: bool
) -> Target:
    """Set where a connection's moves are told, with a secret that was there or a new one.

    Raises ConfigurationRefused with every fault.
    """
    courier = services.courier
    if connection.system != PLATFORM or courier is None:
        raise ConfigurationRefused(["moves are told over a connection to the platform only"])
    faults = [f"url: {fault}" for fault in [courier.fault(url)] if fault]
    with services.store.reading() as unit:
        held = unit.notices.target(connection.id)
    try:
        signs = courier.secret(secret or (held.secret if held else ""))
    except ValueError as error:
        faults.append(f"secret: {error}")
    if faults:
        raise ConfigurationRefused(faults)
    target = Target(connection.id, url, signs, silent)
    with services.store.writing() as unit:
        unit.notices.aim(connection.account_id, target, services.now())
        unit.rest(connection.id, None, 0)
    services.wake("deliver", connection.id)
    return target


def aimed(services: Services, connection: Connection) -> tuple[Target, dict[str, int]]:
    """Return where a connection's moves are told, and its notices by state; raise NotFound."""
    with services.store.reading() as unit:
        target = unit.notices.target(connection.id)
        if target is None:
            raise NotFound(f"the moves of {connection.id} are told nowhere")
        return target, unit.notices.counts(connection.id)


def unaim(services: Services, connection: Connection) -> None:
    """Tell a connection's moves nobody any more."""
    with services.store.writing() as unit:
        unit.notices.drop(connection.id)
