"""Links an account to a CRM: proven first, saved only then."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from connector.domain.errors import CrmError, CrmRevoked, Refused
from connector.domain.facts import AccountId, ConnectionId
from connector.mapping.document import preset
from connector.mapping.lookup import Lookup
from connector.mapping.table import Deal, Meaning, Vocabulary
from connector.mapping.table import Mapping as Table
from connector.pipeline.services import Services
from connector.ports import Crm
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.unit import Unit

log = structlog.get_logger(__name__)
_PICKLISTS = (Meaning.LIFECYCLE, Meaning.LEAD_STATUS)


@dataclass(frozen=True, slots=True)
class Request:
    """What an admin asks to be connected."""

    account_id: AccountId
    system: str
    portal: str
    app: str
    api_url: str
    signature: str
    secrets: Map[str, str]


def connect(services: Services, request: Request) -> Connection:
    """Prove a CRM account, then store the connection to it; the same portal again is updated."""
    fresh: dict[str, str] = {}
    renewed: list[datetime | None] = []

    def keep(tokens: Map[str, str], renew_at: datetime | None) -> None:
        fresh.update(tokens)
        renewed.append(renew_at)

    made = ConnectionId(services.new_id("con"))
    draft = _draft(made, request)
    crm = services.dial(draft, request.secrets, keep, None).crm
    told = crm.prove()
    if told != request.portal:
        raise Refused(
            f"these credentials belong to {request.system} account {told}, not {request.portal}",
            advice="check the portal id, or use the credentials of that portal",
        )
    words = read_vocabulary(crm, preset(request.system), Vocabulary())
    secrets = {**request.secrets, **fresh}
    with services.store.writing() as unit:
        pipeline = unit.account(request.account_id).pipeline
        connection = unit.connect(draft, secrets, renewed[-1] if renewed else None, services.now())
        table = preset(request.system)
        if connection.version:
            table = _current(unit, connection).mapping
        _keep_words(unit, connection, Lookup(table, pipeline, words), services.now())
        return unit.connection(connection.id)


def _draft(made: ConnectionId, request: Request) -> Connection:
    return Connection(
        made,
        request.account_id,
        request.system,
        request.portal,
        request.app,
        request.api_url,
        request.signature,
        "active",
        "",
        0,
    )


def _current(unit: Unit, connection: Connection) -> Lookup:
    return unit.lookups(connection.account_id)[connection.id][connection.version]


def _keep_words(unit: Unit, connection: Connection, lookup: Lookup, now: datetime) -> None:
    """Keep a vocabulary; a new version of the mapping is made only where it says something new."""
    unit.set_vocabulary(connection.id, lookup.vocabulary, now)
    told = replace(lookup.vocabulary, names={})  # what a portal has besides, moves nobody
    if connection.version == 0 or _current(unit, connection).vocabulary != told:
        unit.add_version(connection, replace(lookup, vocabulary=told), now)


def refresh_words(services: Services, connection: Connection, crm: Crm) -> None:
    """Read a portal's options again and keep them; a mapping saved meanwhile stays as it is."""
    with services.store.reading() as unit:
        mapping = _current(unit, unit.connection(connection.id)).mapping
        known = unit.vocabulary(connection.id)
    words = read_vocabulary(crm, mapping, known)
    with services.store.writing() as unit:
        own = unit.connection(connection.id)
        now = replace(_current(unit, own), vocabulary=words)
        _keep_words(unit, own, now, services.now())


def read_vocabulary(crm: Crm, table: Table, known: Vocabulary) -> Vocabulary:
    """Read what the fields of a portal can hold; what can't be read stays as it was known."""
    options, has = dict(known.options), dict(known.names)
    for kind in table.fields:
        names = {table.name_of(kind, meaning) for meaning in _PICKLISTS} - {""}
        try:
            fields = crm.fields(kind) if names else []
        except CrmRevoked:
            raise
        except CrmError as error:
            _shrug(kind, error)
            continue
        has[kind] = frozenset(field.name for field in fields) if fields else frozenset()
        options[kind] = {
            field.name: {option.value: option.label for option in field.options}
            for field in fields
            if field.name in names and field.options
        }
    return Vocabulary(
        options, _deal_stages(crm, known), {kind: own for kind, own in has.items() if own}
    )


def _deal_stages(crm: Crm, known: Vocabulary) -> Map[str, Deal]:
    try:
        return {stage.value: Deal(stage.outcome) for stage in crm.deal_stages()}
    except CrmRevoked:
        raise
    except CrmError as error:
        _shrug("deal", error)
        return known.deal_stages


def _shrug(kind: str, error: CrmError) -> None:
    log.warning("vocabulary_not_read", object=kind, reason=str(error))
