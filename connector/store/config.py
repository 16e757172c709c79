"""Accounts, connections and their mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, select, update

from connector.domain.errors import NotFound, Refused
from connector.domain.facts import AccountId, ConnectionId
from connector.domain.slots import Pipeline
from connector.domain.systems import CRMS
from connector.mapping.document import dump, parse
from connector.mapping.lookup import Lookup
from connector.mapping.pipelines import dump_pipeline, parse_pipeline
from connector.mapping.table import Deal, Vocabulary
from connector.store import tables as t
from connector.store.secrets import SecretBox
from connector.stored import Account, Connection


def add_account(
    tx: Tx, name: str, ids: tuple[str, str, str], box: SecretBox, now: datetime
) -> None:
    """Store a new account with the default pipeline; `ids`: id, hash of its token, seal."""
    own, token_hash, seal = ids
    tx.execute(
        t.account.insert().values(
            id=own,
            name=name,
            token_hash=token_hash,
            seal=box.lock(own, {"seal": seal}),
            pipeline=dump_pipeline(Pipeline()),
            created_at=now,
        )
    )


def account_by_token(tx: Tx, token_hash: str) -> Account | None:
    """Return the account behind an API token."""
    row = tx.execute(select(t.account).where(t.account.c.token_hash == token_hash)).first()
    return as_account(row) if row else None


def account(tx: Tx, account_id: str) -> Account:
    """Return an account; raise NotFound."""
    row = tx.execute(select(t.account).where(t.account.c.id == account_id)).first()
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return as_account(row)


def accounts(tx: Tx) -> list[Account]:
    """Return every account."""
    return [as_account(row) for row in tx.execute(select(t.account).order_by(t.account.c.id))]


def as_account(row: Row[Any]) -> Account:
    """Return an account's row as a value."""
    return Account(AccountId(row.id), row.name, _pipeline(json.dumps(row.pipeline)))


@lru_cache(maxsize=256)
def _pipeline(document: str) -> Pipeline:
    return parse_pipeline(json.loads(document), Pipeline())


def seal_key(tx: Tx, account_id: AccountId, box: SecretBox) -> str:
    """Return the key under which an account's erased addresses are hashed."""
    row = tx.execute(select(t.account.c.seal).where(t.account.c.id == account_id)).one()
    return box.unlock(account_id, row.seal)["seal"]


def connect(
    tx: Tx,
    draft: Connection,
    document: Mapping[str, str],
    renew_at: datetime | None,
    box: SecretBox,
    now: datetime,
) -> Connection:
    """Store a connection, or bring the one to the same portal up to date, keeping its id."""
    known = by_portal(tx, draft.system, draft.app, draft.portal)
    if known is not None and known.account_id != draft.account_id:
        raise Refused(f"{draft.system} {draft.portal} is connected to another account already")
    own = known.id if known else draft.id
    values = {
        "api_url": draft.api_url,
        "signature": draft.signature,
        "secrets": box.lock(own, document),
        "renew_at": renew_at,
        "state": "active",
        "reason": "",
        "rest_until": None,
        "failures": 0,
    }
    if known:
        tx.execute(update(t.connection).where(t.connection.c.id == own).values(**values))
    else:
        row = {"id": own, "account_id": draft.account_id, "system": draft.system}
        fresh = {"portal": draft.portal, "app": draft.app, "vocabulary": {}, "version": 0}
        tx.execute(t.connection.insert().values(**row, **fresh, created_at=now, **values))
    return connection(tx, own)


def connection(tx: Tx, connection_id: str) -> Connection:
    """Return a connection; raise NotFound."""
    row = tx.execute(select(t.connection).where(t.connection.c.id == connection_id)).first()
    if row is None:
        raise NotFound(f"there is no connection {connection_id}")
    return as_connection(row)


def connections(tx: Tx, account_id: AccountId | None = None) -> list[Connection]:
    """Return an account's connections, or all."""
    query = select(t.connection).order_by(t.connection.c.id)
    if account_id is not None:
        query = query.where(t.connection.c.account_id == account_id)
    return [as_connection(row) for row in tx.execute(query)]


def crms(tx: Tx, account_id: AccountId | None = None) -> list[Connection]:
    """Return the connections to CRMs of an account, or of all."""
    return [one for one in connections(tx, account_id) if one.system in CRMS]


def crm(tx: Tx, connection_id: str) -> Connection:
    """Return a connection to a CRM; raise NotFound, Refused for one to something else."""
    found = connection(tx, connection_id)
    if found.system not in CRMS:
        raise Refused(f"{connection_id} is a connection to the {found.system}, not to a CRM")
    return found


def by_portal(tx: Tx, system: str, app: str, portal: str) -> Connection | None:
    """Return the connection to a portal through an app, or (app "") the only one there is."""
    query = select(t.connection).where(
        t.connection.c.system == system, t.connection.c.portal == portal
    )
    rows = tx.execute(query.where(t.connection.c.app == app) if app else query).all()
    return as_connection(rows[0]) if len(rows) == 1 else None


def as_connection(row: Row[Any]) -> Connection:
    """Return a connection's row as a value."""
    return Connection(
        ConnectionId(row.id),
        AccountId(row.account_id),
        row.system,
        row.portal,
        row.app,
        row.api_url,
        row.signature,
        row.state,
        row.reason,
        row.version,
        row.renew_at,
        row.read_at,
        row.rest_until,
        row.failures,
        row.labels,
    )


def set_state(tx: Tx, connection_id: str, state: str, reason: str = "") -> None:
    """Pause, resume or revoke a connection, saying why."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    tx.execute(own.values(state=state, reason=reason))


def secrets(tx: Tx, connection_id: ConnectionId, box: SecretBox) -> dict[str, str]:
    """Return a connection's secrets in the clear."""
    row = tx.execute(select(t.connection.c.secrets).where(t.connection.c.id == connection_id)).one()
    return box.unlock(connection_id, row.secrets)


def set_secrets(
    tx: Tx,
    connection_id: ConnectionId,
    document: Mapping[str, str],
    renew_at: datetime | None,
    box: SecretBox,
) -> None:
    """Replace a connection's secrets."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    tx.execute(own.values(secrets=box.lock(connection_id, document), renew_at=renew_at))


def set_vocabulary(
    tx: Tx, connection_id: ConnectionId, vocabulary: Vocabulary, now: datetime
) -> None:
    """Keep what a portal's fields can hold."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    tx.execute(own.values(vocabulary=dump_vocabulary(vocabulary), read_at=now))


def vocabulary(tx: Tx, connection_id: ConnectionId) -> Vocabulary:
    """Return what a portal's fields can hold."""
    query = select(t.connection.c.vocabulary).where(t.connection.c.id == connection_id)
    return parse_vocabulary(tx.execute(query).scalar_one())


def add_version(tx: Tx, connection: Connection, lookup: Lookup, now: datetime) -> int:
    """Store a new version of a connection's mapping and make it the current one."""
    version = connection.version + 1
    tx.execute(
        t.mapping.insert().values(
            account_id=connection.account_id,
            connection_id=connection.id,
            version=version,
            document=dump(lookup.mapping),
            pipeline=dump_pipeline(lookup.pipeline),
            vocabulary=dump_vocabulary(lookup.vocabulary),
            created_at=now,
        )
    )
    own = update(t.connection).where(t.connection.c.id == connection.id)
    tx.execute(own.values(version=version))
    return version


class Library:
    """Every version of every mapping, parsed once a process: a version never changes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[ConnectionId, int], Lookup] = {}

    def lookups(self, tx: Tx, account_id: AccountId) -> dict[ConnectionId, dict[int, Lookup]]:
        """Return the mappings of an account's connections by version."""
        known = select(t.mapping.c.connection_id, t.mapping.c.version).where(
            t.mapping.c.account_id == account_id
        )
        found: dict[ConnectionId, dict[int, Lookup]] = {}
        for row in tx.execute(known).all():
            own = found.setdefault(ConnectionId(row.connection_id), {})
            own[row.version] = self._lookup(tx, ConnectionId(row.connection_id), row.version)
        return found

    def _lookup(self, tx: Tx, connection_id: ConnectionId, version: int) -> Lookup:
        key = (connection_id, version)
        if key not in self._kept:
            query = select(t.mapping).where(
                t.mapping.c.connection_id == connection_id, t.mapping.c.version == version
            )
            row = tx.execute(query).one()
            self._kept[key] = Lookup(
                parse(row.document),
                parse_pipeline(row.pipeline, Pipeline()),
                parse_vocabulary(row.vocabulary),
                version,
            )
        return self._kept[key]


def set_pipeline(tx: Tx, account_id: AccountId, pipeline: Pipeline) -> None:
    """Keep an account's pipeline."""
    own = update(t.account).where(t.account.c.id == account_id)
    tx.execute(own.values(pipeline=dump_pipeline(pipeline)))


def dump_vocabulary(words: Vocabulary) -> dict[str, Any]:
    """Return a vocabulary as plain JSON; option order is kept."""
    options = {
        kind: {name: list(choices.items()) for name, choices in fields.items()}
        for kind, fields in words.options.items()
    }
    names = {kind: sorted(fields) for kind, fields in words.names.items()}
    return {"options": options, "deal_stages": dict(words.deal_stages), "names": names}


def parse_vocabulary(document: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary behind its JSON."""
    options = {
        kind: {name: dict(choices) for name, choices in fields.items()}
        for kind, fields in document.get("options", {}).items()
    }
    stages = {stage: Deal(word) for stage, word in document.get("deal_stages", {}).items()}
    names = {kind: frozenset(fields) for kind, fields in document.get("names", {}).items()}
    return Vocabulary(options, stages, names)


def rest(tx: Tx, connection_id: str, until: datetime | None, failures: int) -> None:
    """Leave a CRM alone until a time; `failures` counts how often it failed in a row."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    tx.execute(own.values(rest_until=until, failures=failures))


def forget_words(tx: Tx, connection_id: str) -> None:
    """Have a portal's vocabulary read again soon."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    tx.execute(own.values(read_at=None))


def set_labels(tx: Tx, connection_id: str, *, installed: bool) -> None:
    """Keep that our fields stand in the CRM, or that their labels no longer fit."""
    own = update(t.connection).where(t.connection.c.id == connection_id)
    if not installed:
        own = own.where(t.connection.c.labels == "installed")
    tx.execute(own.values(labels="installed" if installed else "stale"))
