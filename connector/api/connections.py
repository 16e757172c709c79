"""Connections as the API shows them: never with their secrets."""

from dataclasses import asdict
from datetime import datetime

from connector.api.routes import Call, Route, cut, sliced
from connector.api.words import Answer, Body, ListQuery, Nothing, Page, Word
from connector.domain.facts import AccountId
from connector.pipeline import operating
from connector.pipeline.services import Services
from connector.pipeline.winning import wins_without_person
from connector.store.unit import Unit
from connector.stored import Connection, Poll


class ConnectionAnswer(Answer):
    """A link to a CRM; `reason` says why it is not active, `resting_until` when it is called.

    `reconciled_at` says when the poller's last pass ended, `differed` how many records it found.
    """

    id: str
    system: str
    portal: str
    app: str
    state: str
    reason: str
    mapping_version: int
    resting_until: datetime | None
    reconciled_at: datetime | None
    differed: int | None


class Connections(Page[ConnectionAnswer]):
    """A page of connections."""


class WinAnswer(Answer):
    """A won deal that nobody is on, so that it makes nobody a Customer."""

    object: str
    record_id: str
    stage: str
    won_at: datetime | None


class Wins(Page[WinAnswer]):
    """A page of wins without a person."""


class PauseBody(Body):
    """Why the calls are stopped."""

    reason: Word = ""


def list_connections(call: Call[ListQuery, Nothing]) -> Connections:
    """Return the account's connections."""
    with call.services.store.reading() as unit:
        rows = listed(unit, call.account.id)
    page, after = sliced(rows, call.query)
    return Connections(items=page, next_cursor=after)


def listed(unit: Unit, account_id: AccountId) -> list[ConnectionAnswer]:
    """Return an account's connections as the API shows them."""
    polls = unit.polls.all(account_id)
    return [_shown(one, polls.get(one.id)) for one in unit.connections(account_id)]


def list_wins(call: Call[ListQuery, Nothing]) -> Wins:
    """Return the won deals that no person is on."""
    query = call.query
    rows = wins_without_person(call.services, call.connection(), query.cursor, query.limit + 1)
    page, after = cut(rows, query.limit, lambda row: row.record_id)
    return Wins(items=[WinAnswer(**asdict(row)) for row in page], next_cursor=after)


def pause_connection(call: Call[Nothing, PauseBody]) -> ConnectionAnswer:
    """Stop the calls to a CRM; intake and moves go on."""
    connection = call.connection()
    return _after(call.services, operating.pause(call.services, connection.id, call.body.reason))


def resume_connection(call: Call[Nothing, Nothing]) -> ConnectionAnswer:
    """Call a CRM again."""
    return _after(call.services, operating.resume(call.services, call.connection().id))


def _after(services: Services, connection: Connection) -> ConnectionAnswer:
    with services.store.reading() as unit:
        return _shown(connection, unit.polls.get(connection.id))


def _shown(connection: Connection, poll: Poll | None) -> ConnectionAnswer:
    """Return a connection without what is secret."""
    ended = poll is not None and poll.ended_at is not None
    return ConnectionAnswer(
        id=connection.id,
        system=connection.system,
        portal=connection.portal,
        app=connection.app,
        state=connection.state,
        reason=connection.reason,
        mapping_version=connection.version,
        resting_until=connection.rest_until,
        reconciled_at=poll.ended_at if poll else None,
        differed=poll.found if poll and ended else None,
    )


ONE = "/connections/{connection_id}"
ROUTES = (
    Route("GET", "/connections", "List connections", list_connections, Connections, ListQuery),
    Route(
        "GET",
        f"{ONE}/wins",
        "List won deals that no person is on",
        list_wins,
        Wins,
        ListQuery,
        refusals=(404, 409),
    ),
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
