"""Connections as the API shows them: never with their secrets."""

from datetime import datetime

from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, Body, ListQuery, Nothing, Page, Word
from connector.pipeline import operating
from connector.stored import Connection


class ConnectionAnswer(Answer):
    """A link to a CRM; `reason` says why it is not active, `resting_until` when it is called."""

    id: str
    system: str
    portal: str
    app: str
    state: str
    reason: str
    mapping_version: int
    resting_until: datetime | None


class Connections(Page[ConnectionAnswer]):
    """A page of connections."""


class PauseBody(Body):
    """Why the calls are stopped."""

    reason: Word = ""


def list_connections(call: Call[ListQuery, Nothing]) -> Connections:
    """Return the account's connections."""
    with call.services.store.reading() as unit:
        rows = unit.connections(call.account.id)
    page, after = sliced(rows, call.query)
    return Connections(items=[shown(row) for row in page], next_cursor=after)


def pause_connection(call: Call[Nothing, PauseBody]) -> ConnectionAnswer:
    """Stop the calls to a CRM; intake and moves go on."""
    connection = call.connection()
    return shown(operating.pause(call.services, connection.id, call.body.reason))


def resume_connection(call: Call[Nothing, Nothing]) -> ConnectionAnswer:
    """Call a CRM again."""
    return shown(operating.resume(call.services, call.connection().id))


def shown(connection: Connection) -> ConnectionAnswer:
    """Return a connection without what is secret."""
    return ConnectionAnswer(
        id=connection.id,
        system=connection.system,
        portal=connection.portal,
        app=connection.app,
        state=connection.state,
        reason=connection.reason,
        mapping_version=connection.version,
        resting_until=connection.rest_until,
    )


ONE = "/connections/{connection_id}"
ROUTES = (
    Route("GET", "/connections", "List connections", list_connections, Connections, ListQuery),
    Route(
        "POST",
        f"{ONE}/pause",
        "Stop calls to a CRM",
        pause_connection,
        ConnectionAnswer,
        body=PauseBody,
        refusals=(404,),
    ),
    Route(
        "POST",
        f"{ONE}/resume",
        "Call a CRM again",
        resume_connection,
        ConnectionAnswer,
        refusals=(404,),
    ),
)
