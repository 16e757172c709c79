"""Our own fields in a CRM: planned, made, kept in step with the account's labels, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.slots import LEVER_SLOTS, Pipeline, Slot
from connector.mapping.own_names import DEAL_KEYS, LEVER, NAMES, SHOWN, SLOT
from connector.pipeline.lines import on_line
from connector.pipeline.services import Services
from connector.ports import Crm, Option, OwnField, SetupStep
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.leases import Fence


def own_fields(system: str, pipeline: Pipeline) -> list[OwnField]:
    """Return our fields as they should stand in a CRM."""
    fields = []
    for name, (label, kind, description) in SHOWN.items():
        fields.append(
            OwnField(NAMES[system][name], label, kind, description, _options(name, pipeline))
        )
    return fields


def deal_key(system: str) -> list[OwnField]:
    """Return the field that marks the deals we make."""
    about = "Marks a deal that was made when a lead was handed over"
    name = DEAL_KEYS.get(system)
    return [OwnField(name, "Hand-off", "text", about, object="deal", unique=True)] if name else []


def _options(name: str, pipeline: Pipeline) -> tuple[Option, ...]:
    if name == SLOT:
        return tuple(_option(slot, pipeline) for slot in Slot)
    if name == LEVER:
        return tuple(
            _option(slot, pipeline) for slot in sorted(LEVER_SLOTS) if not pipeline.is_empty(slot)
        )
    return ()


def _option(slot: Slot, pipeline: Pipeline) -> Option:
    return Option(str(slot.value), pipeline.option_label(slot))


def install(
    services: Services, connection_id: str, *, apply: bool, token: str | None
) -> list[SetupStep]:
    """Plan, or make, our fields; idempotent. `token` is a one-off admin token, never stored."""
    connection, own = _wanted(services, connection_id)
    with _crm(services, connection, token) as crm:
        steps = crm.install(own, apply=apply)
    if apply:
        with services.store.writing() as unit:
            unit.set_labels(connection.id, installed=True)
            unit.retry_parked(connection, services.now())
        services.wake("deliver", connection.id)
    return steps


def uninstall(
    services: Services, connection_id: str, *, apply: bool, drop_fields: bool, token: str | None
) -> list[SetupStep]:
    """Plan, or do, the removal; the fields and their data stay unless they are to be dropped."""
    connection, own = _wanted(services, connection_id)
    with _crm(services, connection, token) as crm:
        return crm.uninstall(own, drop_fields=drop_fields, apply=apply)


def _wanted(services: Services, connection_id: str) -> tuple[Connection, list[OwnField]]:
    with services.store.reading() as unit:
        connection = unit.crm(connection_id)
        pipeline = unit.account(connection.account_id).pipeline
        lookup = unit.lookups(connection.account_id)[connection.id][connection.version]
    deals = lookup.mapping.handoff.create_deal.enabled
    own = own_fields(connection.system, pipeline)
    return connection, own + (deal_key(connection.system) if deals else [])


@contextmanager
def _crm(services: Services, connection: Connection, token: str | None) -> Iterator[Crm]:
    """Open a line with the admin's own token, or under the connection's lease."""
    if token:
        yield services.dial(connection, {"access_token": token}, _forget, None).crm
        return
    with on_line(services, connection) as (_, crm):
        yield crm


def _forget(_fresh: Mapping[str, str], _renew_at: datetime | None) -> None:
    """Keep nothing: a one-off token is not renewed."""


def refresh_labels(services: Services, connection: Connection, fence: Fence, crm: Crm) -> None:
    """Bring the option labels in a CRM in step with the account's."""
    _, own = _wanted(services, connection.id)
    crm.install(own, apply=True)
    with services.store.writing(fence) as unit:
        unit.set_labels(connection.id, installed=True)
