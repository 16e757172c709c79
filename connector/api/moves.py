"""Moves of a profile: what they were, and what a person asks for."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from connector.api.profiles import ONE, ProfileAnswer, profile_of, shown
from connector.api.routes import Call, Route, sliced
from connector.api.words import Answer, Body, ListQuery, Nothing, Page, Sentence, Word
from connector.domain.errors import MoveRefused
from connector.domain.slots import Slot
from connector.pipeline import consent, forgetting, moving
from connector.pipeline.ripening import added
from connector.stored import Profile


class TrainingRows(Answer):
    """What a customer adds to the training: rows now, rows once time has passed, and by when."""

    usable: bool
    rows_now: int
    rows_later: int
    ripe_at: datetime | None


class MovedProfile(ProfileAnswer):
    """A profile after a move; `moved` is false where it was there already.

    `training` says of a new customer what can be learned from it.
    """

    moved: bool
    training: TrainingRows | None = None


class MoveAnswer(Answer):
    """A move in the ledger; `from` is null for the first."""

    start: int | None = Field(serialization_alias="from")
    to: int
    occurred_at: datetime
    recorded_at: datetime
    actor: Literal["crm", "person", "rule", "system", "platform", "import"]
    reason: str
    batch_id: str | None


class Moves(Page[MoveAnswer]):
    """A page of moves, oldest first by when they happened."""


class ErasedProfile(Answer):
    """A profile that is no more."""

    id: str
    erased: bool = True


class MoveBody(Body):
    """Where a profile is to go, and why."""

    slot: Annotated[int, Field(strict=True, ge=1, le=10)]
    reason: Word = ""


class ReconsentBody(Body):
    """The document of a re-consent: where and how it was given."""

    reason: Sentence


class SalesAnswer(Answer):
    """A lead status or disposition that sales gave; `mql_at` is the MQL entry that it answers."""

    connection_id: str
    object: str
    record_id: str
    lead_status: str
    disposition: str | None
    actor: Literal["crm", "system"]
    mql_at: datetime | None
    occurred_at: datetime
    recorded_at: datetime


class SalesAnswers(Page[SalesAnswer]):
    """A page of answers, oldest first."""


def list_answers(call: Call[ListQuery, Nothing]) -> SalesAnswers:
    """Return what sales answered about a profile, on all its records."""
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
        rows = unit.people.answers(call.account.id, profile.id)
    page, after = sliced(rows, call.query)
    items = [
        SalesAnswer(**one.record._asdict(), **{n: getattr(one, n) for n in _ANSWER}) for one in page
    ]
    return SalesAnswers(items=items, next_cursor=after)


_ANSWER = ("lead_status", "disposition", "actor", "mql_at", "occurred_at", "recorded_at")


def list_moves(call: Call[ListQuery, Nothing]) -> Moves:
    """Return a profile's moves, oldest first by when they happened."""
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
        rows = unit.people.moves(call.account.id, profile.id)
    page, after = sliced(rows, call.query)
    items = [
        MoveAnswer(
            start=row.start,
            to=row.goal,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            actor=row.actor,
            reason=row.reason,
            batch_id=row.batch_id or None,
        )
        for row in page
    ]
    return Moves(items=items, next_cursor=after)


def move_profile(call: Call[Nothing, MoveBody]) -> MovedProfile:
    """Move a profile by hand; 409 says why it may not go there."""
    profile_id, goal = call.places["profile_id"], Slot(call.body.slot)
    moved = moving.move(call.services, call.account.id, profile_id, goal, call.body.reason)
    return _after(call, moved=moved)


def reconsent_profile(call: Call[Nothing, ReconsentBody]) -> MovedProfile:
    """Lead a profile out of slot 10 on a documented re-consent."""
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
    told = consent.reconsent(call.services, call.account.id, [profile.id], call.body.reason)
    if told["skipped"]:
        raise MoveRefused(told["skipped"][0]["why"])
    return _after(call, moved=True)


def erase_profile(call: Call[Nothing, Nothing]) -> ErasedProfile:
    """Forget a person for good; our fields are blanked in the CRMs."""
    profile_id = call.places["profile_id"]
    forgetting.erase(call.services, call.account.id, profile_id)
    return ErasedProfile(id=profile_id)


def _after(call: Call[Nothing, Body], *, moved: bool) -> MovedProfile:
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
        answer = shown(unit, call.account, [profile])[0]
    training = _training(call, profile) if moved and profile.slot is Slot.CUSTOMER else None
    return MovedProfile(**dict(answer), moved=moved, training=training)


def _training(call: Call[Nothing, Body], profile: Profile) -> TrainingRows:
    return TrainingRows(**asdict(added(call.services, call.account.id, profile)))


ROUTES = (
    Route("GET", f"{ONE}/moves", "List moves", list_moves, Moves, ListQuery, refusals=(404,)),
    Route(
        "GET",
        f"{ONE}/answers",
        "List what sales answered",
        list_answers,
        SalesAnswers,
        ListQuery,
        refusals=(404,),
    ),
    Route(
        "POST",
        f"{ONE}/move",
        "Move a profile by hand",
        move_profile,
        MovedProfile,
        body=MoveBody,
        refusals=(404, 409),
    ),
    Route(
        "POST",
        f"{ONE}/reconsent",
        "Lead a profile out of slot 10",
        reconsent_profile,
        MovedProfile,
        body=ReconsentBody,
        refusals=(404, 409),
    ),
    Route("POST", f"{ONE}/erase", "Forget a person", erase_profile, ErasedProfile, refusals=(404,)),
)
