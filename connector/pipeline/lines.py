"""Lines to CRMs: one call at a time per connection, because its lease is held meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.errors import ConnectorError
from connector.pipeline.services import Line, Services
from connector.ports import Crm
from connector.stored import Connection

if TYPE_CHECKING:
    from connector.store.leases import Fence

_PATIENCE = 60.0
_POLL = 0.05


def open_line(services: Services, connection: Connection, fence: Fence) -> Line:
    """Open the line of a connection; tokens that it renews are stored under the lease."""
    with services.store.reading() as unit:
        secrets = unit.secrets(connection.id)

    def keep(fresh: Mapping[str, str], renew_at: datetime | None) -> None:
        with services.store.writing(fence) as unit:
            unit.set_secrets(connection.id, {**secrets, **fresh}, renew_at)

    return services.dial(connection, secrets, keep, fence.note)


@contextmanager
def on_line(services: Services, connection: Connection) -> Iterator[tuple[Fence, Crm]]:
    """Wait for a connection's lease and open its line; raise ConnectorError after a minute."""
    fence = _lease(services, connection)
    note = fence.note
    try:
        line = open_line(services, connection, fence)
        try:
            yield fence, line.crm
        finally:
            note = line.state()
    finally:
        services.store.drop(fence, note)


def _lease(services: Services, connection: Connection) -> Fence:
    waited = 0.0
    while waited < _PATIENCE:
        fence = services.store.take(f"connection:{connection.id}")
        if fence is not None:
            return fence
        services.pause(_POLL)
        waited += _POLL
    raise ConnectorError(
        "another process is talking to this CRM", advice="try again when it is done"
    )
