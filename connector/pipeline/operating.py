"""What operators do to what is stuck, over HTTP or by command; no Flask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from connector.domain.errors import ConfigurationRefused, NotFound
from connector.domain.systems import CRMS
from connector.mapping.document import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.domain.facts import AccountId
    from connector.mapping.table import Mapping
    from connector.pipeline.services import Services
    from connector.stored import Connection

Box = Literal["inbox", "outbox"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which parked rows: those with these ids, or whose reason or record has this text."""

    ids: Sequence[int] | None = None
    text: str = ""


def replay(
    services: Services, account_id: AccountId | None, box: Box, choice: Choice, *, dry_run: bool
) -> int:
    """Put parked rows back in line, of every account where None; say how many."""
    with services.store.reading() as unit:
        parked = unit.parked_events if box == "inbox" else unit.parked_writes
        ids = parked(account_id, choice.text)
        whole = box == "inbox" and choice.ids is None
        deliveries = unit.parked_deliveries(account_id, choice.text) if whole else []
        visits = unit.visits.aside(account_id, choice.text) if whole else []
    if choice.ids is not None:
        ids = sorted(set(ids) & set(choice.ids))
    if dry_run or not ids + deliveries + visits:
        return len(ids) + len(deliveries) + len(visits)
    with services.store.writing() as unit:
        count = unit.split_again(deliveries) + unit.visits.replay(visits)
        if box == "inbox":
            count += unit.replay_events(account_id, ids)
        else:
            count += unit.replay_writes(account_id, services.now(), ids)
    services.wake("split", "all")
    _wake(services, account_id)
    return count


def release(services: Services, account_id: AccountId | None, hold_id: str) -> int:
    """Let the writes of an open hold go, and say how many; raise NotFound."""
    with services.store.writing() as unit:
        if hold_id not in {hold["id"] for hold in unit.holds(account_id)}:
            raise NotFound(f"there is no open hold {hold_id}")
        count = unit.release(hold_id, services.now())
    _wake(services, account_id)
    return count


def pause(services: Services, connection_id: str, reason: str) -> Connection:
    """Stop the calls to a CRM; what comes in is still taken in, and profiles still move."""
    with services.store.writing() as unit:
        unit.set_state(connection_id, "paused", reason)
        return unit.connection(connection_id)


def resume(services: Services, connection_id: str) -> Connection:
    """Call a CRM again, at once."""
    with services.store.writing() as unit:
        unit.set_state(connection_id, "active")
        unit.rest(connection_id, None, 0)
        connection = unit.connection(connection_id)
    if connection.system in CRMS:
        services.wake("deliver", connection_id)
    return connection


def mapping_for(connection: Connection, document: object) -> Mapping:
    """Read a mapping that fits a connection's CRM; refuse it with every fault named."""
    mapping = parse(document)
    if mapping.system != connection.system:
        raise ConfigurationRefused([f"system: this connection is to {connection.system}"])
    return mapping


def _wake(services: Services, account_id: AccountId | None) -> None:
    """Wake whoever works on what was put back in line."""
    with services.store.reading() as unit:
        connections, crms = unit.connections(account_id), unit.crms(account_id)
    for one in sorted({connection.account_id for connection in connections}):
        services.wake("drain", one)
    for connection in crms:
        services.wake("deliver", connection.id)
