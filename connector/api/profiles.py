"""Profiles as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from connector.api.routes import Call, Route, cut
from connector.api.scores import ReasonAnswer, score_answers
from connector.api.words import (
    Answer,
    ListQuery,
    Nothing,
    Page,
    SlotNumber,
    Word,
)
from connector.domain.errors import NotFound
from connector.domain.facts import ConnectionId, ProfileId, RecordKey
from connector.domain.journeys import Alias
from connector.domain.scores import ScoreState
from connector.store.unit import Unit
from connector.stored import Account, Profile, Record


class RecordAnswer(Answer):
    """A living CRM record behind a profile, or the company that such a record belongs to.

    `claimed_slot` is where the record says the profile is, where another CRM is the slot's master.
    """

    connection_id: str
    system: str
    object: str
    record_id: str
    lifecycle_stage: str | None
    lead_status: str | None
    owner_id: str | None
    claimed_slot: int | None


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


class ProfileQuery(ListQuery):
    """Which profiles: all that fit every filter."""

    email: Word | None = None
    slot: SlotNumber | None = None
    record_id: Word | None = None
    object: Literal["contact", "company", "lead", "account"] | None = None
    connection_id: Word | None = None
    device_id: Word | None = None
    min_score: Annotated[int, Field(ge=1, le=10)] | None = None


def list_profiles(call: Call[ProfileQuery, Nothing]) -> Profiles:
    """Find profiles."""
    query = call.query
    wanted = query.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
    if "email" in wanted:
        wanted["email"] = wanted["email"].strip().lower()
    with call.services.store.reading() as unit:
        rows = unit.people.found(call.account.id, wanted, query.cursor, query.limit + 1)
        page, after = cut(rows, query.limit, lambda row: row.id)
        return Profiles(items=shown(unit, call.account, page), next_cursor=after)


def get_profile(call: Call[Nothing, Nothing]) -> ProfileAnswer:
    """Return a profile; one that was joined into another answers with that one."""
    with call.services.store.reading() as unit:
        profile = profile_of(unit, call.account, call.places["profile_id"])
        return shown(unit, call.account, [profile])[0]


def profile_of(unit: Unit, account: Account, profile_id: str) -> Profile:
    """Return a profile, the survivor of one that was joined; raise NotFound."""
    profile = unit.people.profile(account.id, profile_id)
    if profile is None:
        raise NotFound(f"there is no profile {profile_id}")
    return profile


def shown(unit: Unit, account: Account, profiles: list[Profile]) -> list[ProfileAnswer]:
    """Return profiles as the API shows them, with their living records and their companies."""
    found = unit.people.records(account.id, [profile.id for profile in profiles])
    living = {one: [r for r in own if r.alive and not r.merged_into] for one, own in found.items()}
    keys = [record.key for own in living.values() for record in own]
    companies = unit.ties.companies(account.id, keys)
    systems = {one.id: one.system for one in unit.connections(account.id)}
    ids = [profile.id for profile in profiles]
    names, scores = unit.visits.names_of(account.id, ids), score_answers(unit, account.id, profiles)
    answers = [_answer(p, account, living.get(p.id, []), companies, systems) for p in profiles]
    whole = [one.model_copy(update=dict(scores[ProfileId(one.id)])) for one in answers]
    return [_with_typed(one, names.get(ProfileId(one.id), [])) for one in whole]


def _with_typed(answer: ProfileAnswer, names: Sequence[Alias]) -> ProfileAnswer:
    """Add the addresses that a visitor came by to those of the records."""
    typed = {name.value for name in names if name.kind == "email"}
    return answer.model_copy(update={"emails": sorted({*answer.emails, *typed})})


def _answer(
    profile: Profile,
    account: Account,
    living: Sequence[Record],
    companies: Mapping[RecordKey, Sequence[Record]],
    systems: Mapping[ConnectionId, str],
) -> ProfileAnswer:
    theirs = {one.key: one for record in living for one in companies.get(record.key, ())}
    return ProfileAnswer(
        id=profile.id,
        slot=profile.slot,
        slot_label=account.pipeline.labels[profile.slot] if profile.slot else "",
        slot_since=profile.slot_since,
        disposition=profile.disposition,
        score=None,
        score_state=ScoreState.NO_JOURNEY,
        probability=None,
        percentile=None,
        reasons=[],
        emails=sorted({record.email for record in living if record.email}),
        records=[
            _record(record, systems[record.key.connection_id])
            for record in [*living, *theirs.values()]
        ],
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
        claimed_slot=record.claim,
    )


ONE = "/profiles/{profile_id}"
ROUTES = (
    Route("GET", "/profiles", "Find profiles", list_profiles, Profiles, ProfileQuery),
    Route("GET", ONE, "Get a profile", get_profile, ProfileAnswer, refusals=(404,)),
)
