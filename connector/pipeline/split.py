"""Deliveries become events: cheap, without effects, safe to do twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import NotFound, Unreadable
from connector.domain.facts import AccountId
from connector.domain.journeys import JourneyEvent
from connector.pipeline.arriving import arrive
from connector.pipeline.services import Services
from connector.ports import Event, Unread
from connector.stored import BULK, LIVE, Arrival, Connection, Delivery

if TYPE_CHECKING:
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
# Deliveries looked at before accounts are woken, and how many events one transaction takes in.
AT_ONCE = 50
EVENTS_AT_ONCE = 200

Parts = Sequence[Event | JourneyEvent | Unread]


def split(services: Services, turn: timedelta | None = None) -> set[AccountId]:
    """Split the deliveries that wait; return the accounts that have events to work on now.

    After a `turn` what is left has to queue up again, behind other work. One process splits at
    a time; it looks again after it gave the lease back. A delivery is read outside of the
    transaction, so that the database's writer is free meanwhile.
    """
    accounts: set[AccountId] = set()
    end = services.now() + turn if turn else None
    while True:
        fence = services.store.take("split")
        if fence is None:
            return accounts
        try:
            deliveries = _next(services)
            for some in _pieces(_read(services, delivery) for delivery in deliveries):
                with services.store.writing(fence) as unit:
                    for delivery, parts in some:
                        accounts |= _split_one(services, unit, delivery, parts)
        finally:
            services.store.drop(fence)
        if not deliveries and not _next(services):
            return accounts
        if end and services.now() > end:
            services.wake("split", "all")
            return accounts


def _next(services: Services) -> list[Delivery]:
    with services.store.reading() as unit:
        return unit.waiting_deliveries(AT_ONCE)


def _read(services: Services, delivery: Delivery) -> tuple[Delivery, Parts | str]:
    """Read a delivery's events, or say why that is impossible."""
    try:
        return delivery, _parts(services, delivery)
    except Unreadable as error:
        return delivery, str(error)
    except Exception as error:
        log.exception("delivery_breaks_reader", delivery=delivery.id, trace=delivery.trace)
        return delivery, type(error).__name__


def _parts(services: Services, delivery: Delivery) -> Parts:
    reader = services.journey_readers.get(delivery.system)
    if reader is None:
        return services.readers[delivery.system](delivery.body, delivery.received_at)
    return reader(services, delivery)


def _pieces(
    read: Iterable[tuple[Delivery, Parts | str]],
) -> Iterator[list[tuple[Delivery, Parts | str]]]:
    """Group deliveries so that no transaction takes long."""
    piece: list[tuple[Delivery, Parts | str]] = []
    count = 0
    for delivery, parts in read:
        piece.append((delivery, parts))
        count += len(parts)
        if count >= EVENTS_AT_ONCE:
            yield piece
            piece, count = [], 0
    if piece:
        yield piece


def _split_one(
    services: Services, unit: Unit, delivery: Delivery, parts: Parts | str
) -> set[AccountId]:
    if isinstance(parts, str):
        unit.close_delivery(delivery.id, reason=parts)
        log.warning("delivery_parked", delivery=delivery.id, trace=delivery.trace, reason=parts)
        return set()
    if delivery.system in services.journey_readers:
        return _keep_journeys(unit, delivery, parts)
    heard = [part for part in parts if not isinstance(part, JourneyEvent)]
    accounts = set()
    strangers = set()
    for portal in sorted({part.portal for part in heard}):
        own = [part for part in heard if part.portal == portal]
        connection = _connection(services, unit, delivery, portal)
        if connection is None:
            strangers.add(portal)
        elif delivery.connection_id and portal not in {connection.portal, ""}:
            _park_foreign(unit, connection, own, delivery)
        else:
            _keep(services, unit, connection, own, delivery)
            accounts.add(connection.account_id)
    reason = f"no connection for portal {', '.join(sorted(strangers))}" if strangers else ""
    unit.close_delivery(delivery.id, reason=reason)
    return accounts


def _keep_journeys(unit: Unit, delivery: Delivery, parts: Parts) -> set[AccountId]:
    """Keep what visitors did."""
    connection = unit.connection(delivery.connection_id or "")
    for part in parts:
        if isinstance(part, Unread):
            _park(unit, connection, part, delivery)
    events = [part for part in parts if isinstance(part, JourneyEvent)]
    when, trace = delivery.received_at, delivery.trace
    arrive(unit, connection, events, when, trace=trace, silent=delivery.silent)
    unit.close_delivery(delivery.id)
    return {connection.account_id}


def _park(unit: Unit, connection: Connection, part: Unread, delivery: Delivery) -> None:
    told = (part.key, part.raw, part.reason)
    unit.park_part(connection.account_id, connection.id, told, delivery.received_at)


def _connection(
    services: Services, unit: Unit, delivery: Delivery, portal: str
) -> Connection | None:
    """Find whose events these are: the URL's connection, or the portal's by the app-wide URL."""
    if delivery.connection_id:
        try:
            return unit.connection(delivery.connection_id)
        except NotFound:
            return None
    return unit.by_portal(delivery.system, services.apps.get(delivery.system, ""), portal)


def _park_foreign(
    unit: Unit, connection: Connection, parts: Iterable[Event | Unread], delivery: Delivery
) -> None:
    for part in parts:
        reason = f"portal {part.portal} is not this connection's"
        raw = part.raw if isinstance(part, Unread) else f"{part.object} {part.record_id}"
        told = (part.key, raw, reason)
        unit.park_part(connection.account_id, connection.id, told, delivery.received_at)


def _keep(
    services: Services,
    unit: Unit,
    connection: Connection,
    parts: Iterable[Event | Unread],
    delivery: Delivery,
) -> None:
    most = services.bulk_per_minute
    recent: dict[tuple[str, str], int] = {}
    arrivals = []
    for part in parts:
        if isinstance(part, Unread):
            _park(unit, connection, part, delivery)
            continue
        source = (part.origin, part.origin_id)
        if source not in recent:
            recent[source] = unit.recent_of(connection.id, source, delivery.received_at, most)
        recent[source] += 1
        is_bulk = part.origin in services.bulk_origins[delivery.system] or recent[source] > most
        lane = BULK if is_bulk else LIVE
        arrivals.append(
            Arrival(
                0, connection.id, part, delivery.received_at, lane, delivery.silent, delivery.trace
            )
        )
    unit.add_events(connection.account_id, arrivals)
