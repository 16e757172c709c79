"""How a connection's bodies are read: its words looked up, shown, changed, and put to use."""

from __future__ import annotations

from connector.domain.journeys import JourneyEvent
from connector.mapping.journey_words import dump, parse
from connector.pipeline.services import Services
from connector.ports import Unread
from connector.stored import Connection, Delivery


def read(services: Services, delivery: Delivery) -> list[JourneyEvent | Unread]:
    """Return a delivery's events; raise Unreadable. To be called outside of a transaction.

    Where its connection captures, what the body looks like is kept first.
    """
    name = delivery.connection_id or ""
    with services.store.reading() as unit:
        wording = unit.wordings.of(name)
    if wording.capture:
        shape = services.platform.shape(delivery.body)
        with services.store.writing() as unit:
            unit.wordings.capture(unit.connection(name), shape, delivery.received_at)
    return services.platform.read(delivery.body, delivery.received_at, wording.words)


def document(services: Services, connection: Connection) -> dict[str, object]:
    """Return how a connection's bodies are read, as a document."""
    with services.store.reading() as unit:
        wording = unit.wordings.of(connection.id)
    return dump(wording.words, capture=wording.capture)


def save(services: Services, connection: Connection, sent: object, *, dry_run: bool) -> int:
    """Keep how bodies are read from now on, and return the version.

    Raises ConfigurationRefused with every fault.
    """
    words, capture = parse(sent)
    with services.store.writing() as unit:
        if dry_run:
            return unit.wordings.of(connection.id).version
        return unit.wordings.put(connection, words, capture=capture, now=services.now())
