"""Profiles as the API shows them, and what people do to them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from connector.api.routes import Call, Route, cut, sliced
from connector.api.words import (
    Answer,
    Body,
    ListQuery,
    Nothing,
    Page,
    Sentence,
    SlotNumber,
    Word,
)
from connector.domain.errors import MoveRefused, NotFound
from connector.domain.slots import Slot
from connector.pipeline import moving
from connector.pipeline.own_fields import score_state
from connector.store.unit import Unit
from connector.stored import Account, Profile, Record


class RecordAnswer(Answer):
    """A living CRM record behind a profile."""

    connection_id: str
    system: str
    object: str
    record_id: str
    lifecycle_stage: str | None
    lead_status: str | None
    owner_id: str | None


class ReasonAnswer(Answer):
    """What speaks for or against a lead, and how much."""

    text: str
    points: float


class ProfileAnswer(Answer):
    """One visitor or contact."""

    id: str
    slot: int | None
    slot_label: str
    slot_since: datetime | None
    disposition: str | None
    score: int | None
    score_state: str
    probability: float | None
    percentile: float | None
    reasons: list[ReasonAnswer]
    emails: list[str]
    records: list[RecordAnswer]
    success_at: datetime | None
    created_at: datetime | None


class Profiles(Page[ProfileAnswer]):
    """A page of profiles."""


class MovedProfile(ProfileAnswer):
    """A profile after a move; `moved` is false where it was there already."""

    moved: bool


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


class ProfileQuery(ListQuery):
    """Which profiles: all that fit every filter."""

    email: Word | None = None
    slot: SlotNumber | None = None
    record_id: Word | None = None
    object: Literal["contact", "company", "lead", "account"] | None = None
    connection_id: Word | None = None
    device_id: Word | None = None
    min_score: Annotated[int, Field(ge=1, le=10)] | None = None


class MoveBody(Body):
    """Where a profile is to go, and why."""

    slot: Annotated[int, Field(strict=True, ge=1, le=10)]
    reason: Word = ""


class ReconsentBody(Body):
    """The document of a re-consent: where and how it was given."""

    reason: Sentence


def list_profiles(call: Call[ProfileQuery, Nothing]) -> Profiles:
    """Find profiles; no journeys and no scores are kept yet, so asking for them finds none."""
    query = call.query
    if query.device_id is not None or query.min_score is not None:
        return Profiles(items=[])
    wanted = query.model_dump(
        include={"email", "slot", "record_id", "object", "connection_id"}, exclude_none=True
    )
    if "email" in wanted:
        wanted["email"] = wanted["email"].strip().lower()
    with call.services.store.reading() as unit:
        rows = unit.people.found(call.account.id, wanted, query.cursor, query.limit + 1)
        page, after = cut(rows, query.limit, lambda row: row.id)
        return Profiles(items=_shown(unit, call.account, page), next_cursor=after)


def get_profile(call: Call[Nothing, Nothing]) -> ProfileAnswer:
    """Return a profile; one that was joined into another answers with that one."""
    with call.services.store.reading() as unit:
        profile = _profile(unit, call.account, call.places["profile_id"])
        return _shown(unit, call.account, [profile])[0]


def list_moves(call: Call[ListQuery, Nothing]) -> Moves:
    """Return a profile's moves, oldest first by when they happened."""
    with call.services.store.reading() as unit:
        profile = _profile(unit, call.account, call.places["profile_id"])
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
        profile = _profile(unit, call.account, call.places["profile_id"])
    told = moving.reconsent(call.services, call.account.id, [profile.id], call.body.reason)
    if told["skipped"]:
        raise MoveRefused(told["skipped"][0]["why"])
    return _after(call, moved=True)


def erase_profile(call: Call[Nothing, Nothing]) -> ErasedProfile:
    """Forget a person for good; our fields are blanked in the CRMs."""
    profile_id = call.places["profile_id"]
    moving.erase(call.services, call.account.id, profile_id)
    return ErasedProfile(id=profile_id)


def _after(call: Call[Nothing, Body], *, moved: bool) -> MovedProfile:
    with call.services.store.reading() as unit:
        profile = _profile(unit, call.account, call.places["profile_id"])
        shown = _shown(unit, call.account, [profile])[0]
    return MovedProfile(**dict(shown), moved=moved)


def _profile(unit: Unit, account: Account, profile_id: str) -> Profile:
    profile = unit.people.profile(account.id, profile_id)
    if profile is None:
        raise NotFound(f"there is no profile {profile_id}")
    return profile


def _shown(unit: Unit, account: Account, profiles: list[Profile]) -> list[ProfileAnswer]:
    records = unit.people.records(account.id, [profile.id for profile in profiles])
    systems = {one.id: one.system for one in unit.connections(account.id)}
    return [_answer(one, account, records.get(one.id, []), systems) for one in profiles]


def _answer(
    profile: Profile, account: Account, records: list[Record], systems: dict[str, str]
) -> ProfileAnswer:
    living = [record for record in records if record.alive and not record.merged_into]
    return ProfileAnswer(
        id=profile.id,
        slot=profile.slot,
        slot_label=account.pipeline.labels[profile.slot] if profile.slot else "",
        slot_since=profile.slot_since,
        disposition=profile.disposition,
        score=None,
        score_state=score_state(profile),
        probability=None,
        percentile=None,
        reasons=[],
        emails=sorted({record.email for record in living if record.email}),
        records=[_record(record, systems[record.key.connection_id]) for record in living],
        success_at=profile.success_at,
        created_at=profile.created_at,
    )


def _record(record: Record, system: str) -> RecordAnswer:
    return RecordAnswer(
        connection_id=record.key.connection_id,
        system=system,
        object=record.key.object,
        record_id=record.key.record_id,
        lifecycle_stage=record.lifecycle or None,
        lead_status=record.lead_status or None,
        owner_id=record.owner or None,
    )


ONE = "/profiles/{profile_id}"
ROUTES = (
    Route("GET", "/profiles", "Find profiles", list_profiles, Profiles, ProfileQuery),
    Route("GET", ONE, "Get a profile", get_profile, ProfileAnswer, refusals=(404,)),
    Route("GET", f"{ONE}/moves", "List moves", list_moves, Moves, ListQuery, refusals=(404,)),
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
