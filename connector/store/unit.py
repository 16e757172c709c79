"""One transaction, and what the product does in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.domain.slots import Pipeline
from connector.mapping.lookup import Lookup
from connector.mapping.table import Vocabulary
from connector.store import backfills, config, due, inbox, outbox, poller, retention, secrets
from connector.store.config import Library
from connector.store.crowd import Load, people_of
from connector.store.inbox import Backlog
from connector.store.people import People
from connector.store.save import save
from connector.store.secrets import SecretBox
from connector.store.ties import Ties
from connector.store.watch import Watch
from connector.stored import (
    BULK,
    Account,
    Arrival,
    Changes,
    Claim,
    Connection,
    Crowd,
    Delivery,
    Keeping,
    Pending,
    Record,
    Writing,
)

# How far back an echo of our own write may still come.
_ECHO = timedelta(days=2)


class Unit:
    """A transaction; everything done in it is stored together, or not at all."""

    def __init__(self, tx: Tx, box: SecretBox, library: Library) -> None:
        self.tx = tx
        self._box = box
        self._library = library

    # Configuration

    def account(self, account_id: str) -> Account:
        """Return an account; raise NotFound."""
        return config.account(self.tx, account_id)

    def connection(self, connection_id: str) -> Connection:
        """Return a connection; raise NotFound."""
        return config.connection(self.tx, connection_id)

    def connections(self, account_id: AccountId | None = None) -> list[Connection]:
        """Return an account's connections, or all."""
        return config.connections(self.tx, account_id)

    def connect(
        self,
        draft: Connection,
        secrets: Mapping[str, str],
        renew_at: datetime | None,
        now: datetime,
    ) -> Connection:
        """Store a connection, or bring the one to the same portal up to date, keeping its id."""
        return config.connect(self.tx, draft, secrets, renew_at, self._box, now)

    def add_account(self, name: str, ids: tuple[str, str, str], now: datetime) -> None:
        """Store a new account; `ids` are its id, the hash of its token and its seal."""
        config.add_account(self.tx, name, ids, self._box, now)

    def account_by_token(self, token: str) -> Account | None:
        """Return the account behind an API token."""
        return config.account_by_token(self.tx, secrets.fingerprint(token))

    def accounts(self) -> list[Account]:
        """Return every account."""
        return config.accounts(self.tx)

    def by_portal(self, system: str, app: str, portal: str) -> Connection | None:
        """Return the connection to a portal through an app."""
        return config.by_portal(self.tx, system, app, portal)

    def lookups(self, account_id: AccountId) -> dict[ConnectionId, dict[int, Lookup]]:
        """Return every version of the account's mappings."""
        return self._library.lookups(self.tx, account_id)

    def add_version(self, connection: Connection, lookup: Lookup, now: datetime) -> int:
        """Store a new version of a mapping and make it the current one."""
        return config.add_version(self.tx, connection, lookup, now)

    def set_pipeline(self, account_id: AccountId, pipeline: Pipeline) -> None:
        """Keep an account's pipeline."""
        config.set_pipeline(self.tx, account_id, pipeline)

    def vocabulary(self, connection_id: ConnectionId) -> Vocabulary:
        """Return what a portal's fields can hold."""
        return config.vocabulary(self.tx, connection_id)

    def set_vocabulary(self, connection_id: ConnectionId, words: Vocabulary, now: datetime) -> None:
        """Keep what a portal's fields can hold."""
        config.set_vocabulary(self.tx, connection_id, words, now)

    def forget_words(self, connection_id: str) -> None:
        """Have a portal's vocabulary read again soon."""
        config.forget_words(self.tx, connection_id)

    def secrets(self, connection_id: ConnectionId) -> dict[str, str]:
        """Return a connection's secrets in the clear."""
        return config.secrets(self.tx, connection_id, self._box)

    def set_secrets(
        self, connection_id: ConnectionId, document: Mapping[str, str], renew_at: datetime | None
    ) -> None:
        """Replace a connection's secrets."""
        config.set_secrets(self.tx, connection_id, document, renew_at, self._box)

    def set_state(self, connection_id: str, state: str, reason: str = "") -> None:
        """Pause, resume or revoke a connection, saying why."""
        config.set_state(self.tx, connection_id, state, reason)

    def rest(self, connection_id: str, until: datetime | None, failures: int) -> None:
        """Leave a CRM alone until a time."""
        config.rest(self.tx, connection_id, until, failures)

    def set_labels(self, connection_id: str, *, installed: bool) -> None:
        """Keep that our fields stand in the CRM, or that their labels no longer fit."""
        config.set_labels(self.tx, connection_id, installed=installed)

    def seal(self, account_id: AccountId, address: str) -> str:
        """Return the keyed hash of an address, as tombstones keep it."""
        return secrets.seal(config.seal_key(self.tx, account_id, self._box), address)

    # Inbox

    def waiting_deliveries(self, most: int) -> list[Delivery]:
        """Return deliveries to split."""
        return inbox.waiting_deliveries(self.tx, most)

    def close_delivery(self, delivery_id: int, reason: str = "") -> None:
        """End a delivery, or park it with its reason."""
        inbox.close_delivery(self.tx, delivery_id, reason)

    def add_events(self, account_id: AccountId, arrivals: Sequence[Arrival]) -> None:
        """Keep events; those seen before are left as they are."""
        inbox.add_events(self.tx, account_id, arrivals)

    def park_part(
        self,
        account_id: AccountId,
        connection_id: ConnectionId,
        part: tuple[str, str, str],
        now: datetime,
    ) -> None:
        """Park a part of a delivery that could not be read."""
        inbox.park_part(self.tx, account_id, connection_id, part, now)

    def waiting_events(self, account_id: AccountId, most: int) -> list[Arrival]:
        """Return the events to work on next."""
        return inbox.waiting_events(self.tx, account_id, most)

    def park_event(self, event_id: int, reason: str) -> None:
        """Put an event aside with its reason."""
        inbox.park_event(self.tx, event_id, reason)

    def recent_of(
        self, connection_id: ConnectionId, source: tuple[str, str], now: datetime, most: int
    ) -> int:
        """Count what one source of a connection made in the last minute, up to `most`."""
        return inbox.recent_of(self.tx, connection_id, source, now, most)

    def listed_deliveries(
        self, account_id: AccountId, state: str, after: int, most: int
    ) -> list[Any]:
        """Return deliveries in a state, from behind `after`."""
        return inbox.list_deliveries(self.tx, account_id, state, after, most)

    def listed_events(self, account_id: AccountId, state: str, after: int, most: int) -> list[Any]:
        """Return events in a state, from behind `after`."""
        return inbox.list_events(self.tx, account_id, state, after, most)

    def parked_events(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked events that can be worked on again."""
        return inbox.parked(self.tx, account_id, text)

    def replay_events(self, account_id: AccountId | None, ids: Sequence[int]) -> int:
        """Put parked events back in line, silently."""
        return inbox.replay(self.tx, account_id, ids)

    def parked_deliveries(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked deliveries that may be split again."""
        return inbox.parked_deliveries(self.tx, account_id, text)

    def split_again(self, ids: Sequence[int]) -> int:
        """Put parked deliveries back in line, silently."""
        return inbox.split_again(self.tx, ids)

    def inbox_backlog(self, account_id: AccountId | None = None) -> Backlog:
        """Count what the inbox still holds."""
        return inbox.backlog(self.tx, account_id)

    def probe(self) -> None:
        """Prove that the database takes writes."""
        inbox.probe(self.tx)

    # People

    @property
    def people(self) -> People:
        """What the API asks of profiles."""
        return People(self.tx)

    @property
    def ties(self) -> Ties:
        """Who is tied to what."""
        return Ties(self.tx)

    def crowd(
        self,
        account_id: AccountId,
        keys: Collection[RecordKey],
        emails: Collection[str] = (),
        profiles: Collection[ProfileId] = (),
        follow: Collection[RecordKey] = (),
        now: datetime | None = None,
    ) -> Crowd:
        """Return everything about some records and the people behind them."""
        since = now - _ECHO if now else None
        return Load(self.tx, account_id).crowd(keys, emails, profiles, follow, since)

    def people_of(self, connection: Connection) -> list[RecordKey]:
        """Return every person's record of a connection."""
        return people_of(self.tx, connection.account_id, connection.id)

    def buried(self, account_id: AccountId, keys: Collection[str]) -> dict[str, datetime]:
        """Return when which of these records or sealed addresses were erased."""
        return People(self.tx).buried(account_id, keys)

    def lift(self, account_id: AccountId, addresses: Collection[str]) -> None:
        """Lift the tombstones of addresses."""
        sealed = [self.seal(account_id, address) for address in addresses]
        People(self.tx).lift(account_id, sealed)

    def save(self, account_id: AccountId, changes: Changes, now: datetime) -> None:
        """Store everything that changed."""
        save(self.tx, account_id, changes, now)

    def relearn(self, connection: Connection, keys: Sequence[RecordKey], version: int) -> None:
        """Have facts count under another version of the mapping."""
        People(self.tx).relearn(connection.id, keys, version)

    # Outbox

    def claim(self, connection_id: ConnectionId, now: datetime, wanted: Claim) -> list[Pending]:
        """Take the writes to send next, all of one object and purpose."""
        return outbox.claim(self.tx, connection_id, now, wanted)

    def recover(self, connection_id: ConnectionId, token: int) -> int:
        """Take back what an earlier holder of the lease was sending."""
        return outbox.recover(self.tx, connection_id, token)

    def doubt(self, keys: Sequence[RecordKey]) -> None:
        """Keep that nobody knows what our own fields hold on records."""
        outbox.doubt(self.tx, keys)

    def settle(self, rows: Sequence[Pending], now: datetime) -> None:
        """Store what became of writes."""
        outbox.settle(self.tx, rows, now)

    def records(self, keys: Sequence[RecordKey]) -> dict[RecordKey, Record]:
        """Return records of one connection and object."""
        return outbox.records(self.tx, keys)

    def pushed(self, fields: Mapping[RecordKey, Mapping[str, str]]) -> None:
        """Keep what our own fields hold on records now."""
        outbox.pushed(self.tx, fields)

    def ask(self, keys: Sequence[RecordKey], at: datetime | None, lane: int = 1) -> None:
        """Have records read at a time, or (None) no more."""
        outbox.ask(self.tx, keys, at, lane)

    def asked(
        self, connection_id: ConnectionId, now: datetime, most: int, lane: int = BULK
    ) -> list[Record]:
        """Return the records to read next, all of one object, none behind `lane`."""
        return outbox.asked(self.tx, connection_id, now, most, lane)

    def retry_parked(self, connection: Connection, now: datetime) -> int:
        """Put every parked write of a connection back in line."""
        return outbox.retry_parked(self.tx, connection.id, now)

    def intend(self, account_id: AccountId, writings: Sequence[Writing]) -> None:
        """Enter writes into the write ledger before they are sent."""
        outbox.intend(self.tx, account_id, writings)

    def written(self, writing: Writing, at: datetime) -> None:
        """Date a write by the CRM's own clock once it is done."""
        outbox.written(self.tx, writing, at)

    def last_written(self, key: RecordKey, field: str) -> Writing | None:
        """Return our newest write of a field."""
        return outbox.last_written(self.tx, key, field)

    def counted(
        self, account_id: AccountId, causes: Sequence[str], since: datetime
    ) -> dict[str, int]:
        """Count what each cause has written, or wants to, since then."""
        return outbox.counted(self.tx, account_id, causes, since)

    def open_holds(self, account_id: AccountId) -> dict[str, str]:
        """Return the open holds by cause."""
        return outbox.open_holds(self.tx, account_id)

    def holds(self, account_id: AccountId | None = None) -> list[dict[str, Any]]:
        """Return the open holds with the number of writes that each keeps back."""
        return outbox.holds(self.tx, account_id)

    def release(self, hold_id: str, now: datetime) -> int:
        """Let the writes of a hold go."""
        return outbox.release(self.tx, hold_id, now)

    def listed_writes(self, account_id: AccountId, state: str, after: int, most: int) -> list[Any]:
        """Return writes in a state, from behind `after`."""
        return outbox.listed(self.tx, account_id, state, after, most)

    def parked_writes(self, account_id: AccountId | None, text: str = "") -> list[int]:
        """Return the parked writes."""
        return outbox.parked(self.tx, account_id, text)

    def replay_writes(self, account_id: AccountId | None, now: datetime, ids: Sequence[int]) -> int:
        """Put parked writes back in line."""
        return outbox.replay(self.tx, account_id, now, ids)

    def outbox_backlog(self, account_id: AccountId | None = None) -> Backlog:
        """Count what the outbox still holds."""
        return outbox.backlog(self.tx, account_id)

    def open_journal(self, account_id: AccountId, entry: Mapping[str, Any], now: datetime) -> int:
        """Write down, before a field is cleared, what it has to be set to."""
        return outbox.open_journal(self.tx, account_id, entry, now)

    def close_journal(self, entry_id: int) -> None:
        """Tick a clear-then-set off."""
        outbox.close_journal(self.tx, entry_id)

    def journal(self, connection_id: ConnectionId) -> list[Any]:
        """Return every clear-then-set that was begun and not ended."""
        return outbox.journal(self.tx, connection_id)

    # Work

    @property
    def watch(self) -> Watch:
        """What watches over the house ask."""
        return Watch(self.tx)

    def past(self, table: str, after: int, keeping: Keeping, now: datetime) -> retention.Piece:
        """Look at the next rows of a table for what is past its time."""
        return retention.past(self.tx, table, after, keeping, now)

    def remove(self, table: str, ids: list[int]) -> int:
        """Delete rows that are past their time."""
        return retention.remove(self.tx, table, ids)

    def parked_bodies(self, owner: tuple[str, str], after: int, most: int) -> list[Any]:
        """Return parked deliveries with their bodies that may be about an account's people."""
        return inbox.parked_bodies(self.tx, owner, after, most)

    def empty_deliveries(self, ids: Sequence[int]) -> None:
        """Delete the bodies of parked deliveries; their hashes stay."""
        inbox.empty(self.tx, ids)

    def due(self, now: datetime, since: datetime, *, polls: bool = False) -> list[tuple[str, str]]:
        """Return (job, id) for everything that has waited since then; with `polls` passes too."""
        return due.due(self.tx, now, since, polls=polls)

    @property
    def polls(self) -> poller.Polls:
        """How far the poller is."""
        return poller.Polls(self.tx)

    def backfill(self, connection_id: ConnectionId, kind: str) -> Any:
        """Return how far a backfill is, None before its start."""
        return backfills.get(self.tx, connection_id, kind)

    def set_backfill(self, connection: Connection, kind: str, values: Mapping[str, Any]) -> None:
        """Keep how far a backfill is."""
        backfills.put_state(self.tx, connection, kind, values)
