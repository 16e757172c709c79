"""Batches of moves that can be undone, and writes that the brake holds."""

from datetime import datetime

from connector.api.routes import Call, Route, cut, sliced
from connector.api.words import Answer, DryRun, ListQuery, Nothing, Page
from connector.pipeline import operating, undoing


class BatchAnswer(Answer):
    """Moves with one cause."""

    id: str
    cause: str
    actor: str
    reason: str
    moves: int
    created_at: datetime
    undone_at: datetime | None


class Batches(Page[BatchAnswer]):
    """A page of batches, newest first."""


class Skipped(Answer):
    """A profile that was left where it is, and why."""

    profile_id: str
    why: str


class Undone(Answer):
    """Who went back, and who did not; `batch_id` is null where nobody did."""

    batch_id: str | None
    dry_run: bool
    moved: list[str]
    skipped: list[Skipped]


class HoldAnswer(Answer):
    """Writes that one cause wanted too many of; they wait for a person."""

    id: str
    cause: str
    reason: str
    writes: int
    opened_at: datetime


class Holds(Page[HoldAnswer]):
    """A page of open holds, oldest first."""


class Released(Answer):
    """How many writes go now."""

    id: str
    released: int


def list_batches(call: Call[ListQuery, Nothing]) -> Batches:
    """Return the account's batches, newest first."""
    query = call.query
    with call.services.store.reading() as unit:
        rows = unit.people.batches(call.account.id, query.cursor, query.limit + 1)
    page, after = cut(rows, query.limit, lambda row: row.id)
    items = [
        BatchAnswer(
            id=row.id,
            cause=row.cause,
            actor=row.actor,
            reason=row.reason,
            moves=row.moves,
            created_at=row.created_at,
            undone_at=row.undone_at,
        )
        for row in page
    ]
    return Batches(items=items, next_cursor=after)


def undo_batch(call: Call[DryRun, DryRun]) -> Undone:
    """Put back what a batch moved; what has moved since is skipped and listed."""
    dry_run = call.query.dry_run or call.body.dry_run
    batch_id = call.places["batch_id"]
    told = undoing.undo(call.services, call.account.id, batch_id, dry_run=dry_run)
    return Undone(**told, dry_run=dry_run)


def list_holds(call: Call[ListQuery, Nothing]) -> Holds:
    """Return the open holds."""
    with call.services.store.reading() as unit:
        rows = unit.holds(call.account.id)
    page, after = sliced(rows, call.query)
    items = [HoldAnswer(**{name: row[name] for name in HoldAnswer.model_fields}) for row in page]
    return Holds(items=items, next_cursor=after)


def release_hold(call: Call[Nothing, Nothing]) -> Released:
    """Let the writes of a hold go."""
    hold_id = call.places["hold_id"]
    return Released(id=hold_id, released=operating.release(call.services, call.account.id, hold_id))


ROUTES = (
    Route("GET", "/batches", "List batches of moves", list_batches, Batches, ListQuery),
    Route(
        "POST",
        "/batches/{batch_id}/undo",
        "Undo a batch",
        undo_batch,
        Undone,
        DryRun,
        DryRun,
        refusals=(404,),
    ),
    Route("GET", "/holds", "List held writes", list_holds, Holds, ListQuery),
    Route(
        "POST",
        "/holds/{hold_id}/release",
        "Let held writes go",
        release_hold,
        Released,
        refusals=(404,),
    ),
)
