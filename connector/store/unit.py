"""One transaction, and what the product does in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx

from connector.domain.facts import AccountId, ConnectionId, ProfileId, RecordKey
from connector.domain.keeping import Keeping
from connector.domain.slots import Pipeline
from connector.mapping.lookup import Lookup
from connector.mapping.table import Vocabulary
from connector.store import backfills, config, due, inbox, poller, pruning, retention, secrets
from connector.store.config import Library
from connector.store.creations import Creations
from connector.store.crowd import Load, people_of
from connector.store.entries import Entries
from connector.store.handoffs import Handoffs
from connector.store.journeys import Journeys
from connector.store.models import Models
from connector.store.notices import Notices
from connector.store.people import People
from connector.store.rulebook import Rulebook
from connector.store.save import save
from connector.store.scores import Scores
from connector.store.secrets import SecretBox
from connector.store.ties import Ties
from connector.store.types import EPOCH
from connector.store.unit_inbox import InboxUnit
from connector.store.unit_outbox import OutboxUnit
from connector.store.visits import Visits
from connector.store.watch import Watch
from connector.store.wordings import Wordings
from connector.stored import (
    Account,
    Changes,
    Connection,
    Crowd,
)

# How far back an echo of our own write may still come.
_ECHO = timedelta(days=2)


class Unit(InboxUnit, OutboxUnit):
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

    def crms(self, account_id: AccountId | None = None) -> list[Connection]:
        """Return the connections to CRMs of an account, or of all."""
        return config.crms(self.tx, account_id)

    def crm(self, connection_id: str) -> Connection:
        """Return a connection to a CRM; raise NotFound, Refused for one to something else."""
        return config.crm(self.tx, connection_id)

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

    def seals(self, account_id: AccountId, words: Collection[str]) -> dict[str, str]:
        """Return the keyed hashes of addresses and other names, by name."""
        key = config.seal_key(self.tx, account_id, self._box) if words else ""
        return {word: secrets.seal(key, word) for word in words}

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

    def prune(self, keeping: Keeping, now: datetime) -> int:
        """Delete some of what else is past its time; say how many rows that was."""
        return pruning.prune(self.tx, keeping, now)

    def parked_bodies(self, owner: tuple[str, str], after: int, most: int) -> list[Any]:
        """Return parked deliveries with their bodies that may be about an account's people."""
        return inbox.parked_bodies(self.tx, owner, after, most)

    def parked_parts(self, account_id: AccountId, after: int, most: int) -> list[Any]:
        """Return parts of deliveries that could not be read."""
        return inbox.parked_parts(self.tx, account_id, after, most)

    def empty_deliveries(self, ids: Sequence[int]) -> None:
        """Delete the bodies of parked deliveries; their hashes stay."""
        inbox.empty(self.tx, ids)

    def due(
        self,
        now: datetime,
        since: datetime,
        *,
        polls: bool = False,
        rewards: datetime = EPOCH,
    ) -> list[tuple[str, str]]:
        """Return (job, id) for everything that has waited since then; with `polls` passes too.

        `rewards` is when a reward that ends now was shown.
        """
        return due.due(self.tx, now, since, polls=polls, rewards=rewards)

    @property
    def journeys(self) -> Journeys:
        """What visitors did."""
        return Journeys(self.tx)

    @property
    def wordings(self) -> Wordings:
        """How the platform's bodies are read."""
        return Wordings(self.tx)

    @property
    def visits(self) -> Visits:
        """Journeys as they are worked on."""
        return Visits(self.tx)

    @property
    def rules(self) -> Rulebook:
        """The escalation rules and what they decided."""
        return Rulebook(self.tx)

    @property
    def entries(self) -> Entries:
        """What sales made of those who became MQLs."""
        return Entries(self.tx)

    @property
    def notices(self) -> Notices:
        """Moves that are told to the platform."""
        return Notices(self.tx, self._box)

    @property
    def scores(self) -> Scores:
        """What is known of people's scores."""
        return Scores(self.tx)

    @property
    def models(self) -> Models:
        """What models there are, and what is to be learned."""
        return Models(self.tx, self._box)

    @property
    def handoffs(self) -> Handoffs:
        """What is handed to sales."""
        return Handoffs(self.tx)

    @property
    def creations(self) -> Creations:
        """Records that CRMs are to make for people who have none there."""
        return Creations(self.tx)

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
