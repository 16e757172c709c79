"""A connection's mapping as a document: what a CRM's words mean, or how bodies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.domain.systems import PLATFORM
from connector.mapping.document import dump
from connector.pipeline import configuring, operating, wording
from connector.pipeline.services import Services
from connector.stored import Connection


def current(services: Services, connection: Connection) -> dict[str, object]:
    """Return the document that counts now."""
    return _SHOW.get(connection.system, _show)(services, connection)


def save(
    services: Services, connection: Connection, document: object, *, dry_run: bool, reevaluate: bool
) -> dict[str, Any]:
    """Keep a document, or only check it; say who would move.

    Raises ConfigurationRefused with every fault.
    """
    keep: Callable[..., dict[str, Any]] = _SAVE.get(connection.system, _save)
    return keep(services, connection, document, dry_run=dry_run, reevaluate=reevaluate)


def _show(services: Services, connection: Connection) -> dict[str, object]:
    with services.store.reading() as unit:
        lookup = unit.lookups(connection.account_id)[connection.id][connection.version]
    return dump(lookup.mapping)


def _save(
    services: Services, connection: Connection, document: object, **switches: bool
) -> dict[str, Any]:
    wanted = operating.mapping_for(connection, document)
    return configuring.save_mapping(services, connection.id, wanted, **switches)


def _save_words(
    services: Services, connection: Connection, document: object, *, dry_run: bool, **_: bool
) -> dict[str, Any]:
    """Keep words: what was read stays as it was read, so nobody moves."""
    version = wording.save(services, connection, document, dry_run=dry_run)
    return {"version": version, "would_move": 0, "items": [], "batch_id": None}


# What is no CRM's.
_SHOW: Mapping[str, Callable[..., dict[str, object]]] = {PLATFORM: wording.document}
_SAVE: Mapping[str, Callable[..., dict[str, Any]]] = {PLATFORM: _save_words}
