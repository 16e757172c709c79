"""Whose a batch of journey events is, and what it adds up to; nothing is stored here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connector.domain.facts import AccountId, ProfileId
from connector.domain.identity import Census, Name, Person
from connector.domain.journeys import Alias, JourneyEvent, Known, Visitor
from connector.domain.kept import Kept, Visit
from connector.domain.slots import UNKNOWN, Slot
from connector.domain.visiting import Deed, deeds, opt_out
from connector.domain.visits import (
    OPT_OUT,
    RIGHTS,
    bucket,
    day_of,
    is_withdrawn,
    joined,
    known_by,
    seen,
    type_of,
    without_person,
)
from connector.pipeline.erasure import graves
from connector.pipeline.services import Services
from connector.stored import Profile

if TYPE_CHECKING:
    from connector.domain.slots import Pipeline
    from connector.store.unit import Unit

Visits = Sequence[Visit]


@dataclass(slots=True)
class Reckoning:
    """A batch as it stands in memory: who did what, who is to be forgotten.

    `strange` are opt-outs that name somebody whom their sender did not come as, `earlier` what
    whoever signs in now had sent before, `refused` opt-outs that count for nobody.
    `last_at` is when somebody's last event was, before this batch.
    """

    census: Census
    profiles: Mapping[ProfileId, Profile]
    kept: Kept
    whose: dict[ProfileId, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    last_at: dict[ProfileId, datetime] = field(default_factory=dict)
    erased: set[ProfileId] = field(default_factory=set)
    buried: set[Alias] = field(default_factory=set)
    capped: int = 0
    strange: set[int] = field(default_factory=set)
    earlier: dict[ProfileId, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    refused: list[ProfileId] = field(default_factory=list)

    @property
    def lost(self) -> dict[ProfileId, ProfileId]:
        """The stored profiles that were joined into others."""
        lost = self.census.lost
        return {one: self.census.root(one) for one in lost if one in self.profiles}


def reckon(
    services: Services, unit: Unit, account_id: AccountId, visits: Visits, now: datetime
) -> Reckoning:
    """Find out whose the events of a batch are; leave out what is of erased people."""
    names = {alias for visit in visits for alias in visit.names}
    buried = graves(unit, account_id, names)
    found = _census(services, unit, account_id, visits, now)
    for visit in visits:
        _take(found, visit, buried)
    census = found.census
    found.erased = {census.root(one) for one in found.erased}
    found.whose = _by_root(found)
    found.kept.names = {
        alias: name._replace(profile_id=census.root(name.profile_id))
        for alias, name in census.claimed.items()
        if census.root(name.profile_id) not in found.erased and alias not in found.buried
    }
    return found


def _census(
    services: Services, unit: Unit, account_id: AccountId, visits: Visits, now: datetime
) -> Reckoning:
    """Load who is behind the names of a batch."""
    names = {alias for visit in visits for alias in visit.names}
    known = unit.visits.names(account_id, names)
    emails = [alias.value for alias in names if alias.kind == "email"]
    holders = unit.visits.holders(account_id, emails)
    ids = {name.profile_id for name in known.values()} | set(holders.values())
    profiles = unit.visits.profiles(account_id, ids)
    owned = unit.visits.owned(account_id, ids & set(_in_question(visits, known, holders)))
    people = {
        one.id: Person(
            one.id, one.created_at or now, one.id in owned, muted=one.slot is Slot.DO_NOT_CONTACT
        )
        for one in profiles.values()
    }
    census = Census(known, holders, people, lambda: ProfileId(services.new_id("prf")), now)
    return Reckoning(census, profiles, Kept())


def _in_question(
    visits: Visits, known: Mapping[Alias, Name], holders: Mapping[str, ProfileId]
) -> Iterator[ProfileId]:
    """Yield those of whom it matters whether somebody owns them: a device alone joins nobody."""
    for visit in visits:
        event = visit.event
        if event.email or len(visit.names) > 1 or event.type in {"deidentified", OPT_OUT}:
            for name in visit.names:
                if name in known:
                    yield known[name].profile_id
                if name.value in holders:
                    yield holders[name.value]


def _take(found: Reckoning, visit: Visit, buried: Mapping[Alias, datetime]) -> None:
    spared = _spared(found.census, visit, buried)
    if spared is None:
        found.kept.dropped.append(visit.id)
    elif spared.event.type == "deidentified":
        _deidentify(found, spared)
    elif not spared.names:
        found.kept.dropped.append(visit.id)
    else:
        if spared is not visit:
            found.kept.edited.append(spared.happened)
        if spared.event.type == OPT_OUT and found.census.names_another(spared.event):
            found.strange.add(spared.id)
        found.whose[found.census.whose(spared.event)].append(spared)


def _spared(census: Census, visit: Visit, buried: Mapping[Alias, datetime]) -> Visit | None:
    """Return what may be kept of an event that names erased people, None if nothing.

    Dated before the erasure it goes. Afterwards a sign-in makes a new person; an address that
    is only typed is not taken down, so that nobody but its owner brings it back.
    """
    if not buried:
        return visit
    names = visit.names
    gone = [name for name in names if name in buried and visit.when <= buried[name]]
    if names and names[0] in gone:
        return None
    event = visit.event
    is_typed = known_by(event) is not Known.VERIFIED
    email = Alias("email", event.email)
    if email in buried and is_typed and census.holder(email) is None:
        event = without_person(event)
    if gone:  # what is left of it came by a visitor all the same
        event = event._replace(known=known_by(event))
    for name in gone:
        event = event._replace(**{f"{name.kind}_id": ""})  # type: ignore[arg-type]
    return visit if event is visit.event else _with(visit, event)


def _with(visit: Visit, event: JourneyEvent) -> Visit:
    return Visit.of(visit.happened._replace(event=event), visit.connection_id, visit.trace)


def _deidentify(found: Reckoning, visit: Visit) -> None:
    """Forget whom the platform has de-identified; a device alone forgets no owner of records.

    With them goes whom a sign-in would bring along: who was met by another of the names, and
    whom nobody owns.
    """
    census, names = found.census, visit.names
    found.kept.dropped.append(visit.id)
    known = [(name.kind, holder) for name in names if (holder := census.holder(name))]
    by, best = known[0] if known else ("", None)
    own = {holder for _, holder in known if not census.people[holder].owned}
    if best is not None and by != "device":
        own.add(best)
    found.erased |= own
    found.buried |= {name for name in names if census.holder(name) in {*own, best, None}}


def _by_root(found: Reckoning) -> dict[ProfileId, list[Visit]]:
    """Gather the events of what has become one; those of erased people go."""
    groups: dict[ProfileId, list[Visit]] = defaultdict(list)
    for profile_id, visits in found.whose.items():
        root = found.census.root(profile_id)
        if root in found.erased:
            found.kept.dropped += [visit.id for visit in visits]
        else:
            groups[root] += visits
    return groups


def add_up(unit: Unit, account_id: AccountId, found: Reckoning, per_day: int) -> None:
    """Count what was done on which day, up to so many of one type; beyond nothing is kept."""
    lost = found.lost
    numbers = {day_of(visit.when) for own in found.whose.values() for visit in own}
    known = unit.visits.days(account_id, [*_stored(found), *lost], numbers)
    days = found.kept.days
    for (profile_id, number), counts in known.items():
        key = (lost.get(profile_id, profile_id), number)
        days[key] = days[key] + counts if key in days else counts
    totals = {key: _by_type(counts) for key, counts in days.items()}
    changed = set()
    for profile_id, visits in found.whose.items():
        spared = []
        for visit in sorted(visits, key=lambda one: one.id):
            key, kind = (profile_id, day_of(visit.when)), visit.event.type
            if key not in totals:
                totals[key], days[key] = {}, Counter()
            number_so_far = totals[key].get(kind, 0)
            if number_so_far >= per_day and kind not in RIGHTS:
                found.kept.dropped.append(visit.id)
                found.capped += 1
                continue
            totals[key][kind] = number_so_far + 1
            days[key][bucket(visit.event)] += 1
            changed.add(key)
            spared.append(visit)
        visits[:] = spared
    found.kept.days = {key: counts for key, counts in days.items() if key in changed}
    found.kept.whose = {
        visit.id: profile_id for profile_id, own in found.whose.items() for visit in own
    }


def _by_type(counts: Mapping[str, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name, number in counts.items():
        kind = type_of(name)
        total[kind] = total.get(kind, 0) + number
    return total


def _stored(found: Reckoning) -> list[ProfileId]:
    return [one for one in found.whose if one in found.profiles]


def look_back(unit: Unit, account_id: AccountId, found: Reckoning) -> None:
    """Load what is known of the batch's visitors, joined as they are joined now."""
    lost = found.lost
    wanted = [*_stored(found), *(one for one, into in lost.items() if into in found.whose)]
    known = unit.journeys.visitors(account_id, wanted)
    by_root: dict[ProfileId, list[Visitor]] = defaultdict(list)
    for profile_id, visitor in known.items():
        by_root[lost.get(profile_id, profile_id)].append(visitor)
    for profile_id in found.whose:
        visitor = found.kept.visitors[profile_id] = _whole(profile_id, by_root[profile_id])
        if visitor.last_at is not None:
            found.last_at[profile_id] = visitor.last_at
    _hear_again(unit, account_id, found)


def _hear_again(unit: Unit, account_id: AccountId, found: Reckoning) -> None:
    """Load the opt-outs that those who sign in now had sent before, with the names they bear."""
    census, lost = found.census, found.lost
    proven = {census.root(one.profile_id) for one in census.claimed.values() if one.verified}
    joined_in = {one for one, into in lost.items() if into in proven}
    sent = unit.visits.opt_outs(account_id, sorted(proven & found.profiles.keys() | joined_in))
    names = {alias for visit in sent for alias in visit.event.aliases} - census.names.keys()
    census.names.update(unit.visits.names(account_id, names))
    for visit in sent:
        found.earlier[census.root(visit.happened.profile_id)].append(visit)


def _whole(profile_id: ProfileId, parts: Iterable[Visitor]) -> Visitor:
    whole = None
    for part in parts:
        whole = part if whole is None else joined(whole, part)
    if whole is None or whole.profile_id == profile_id:
        return whole or Visitor(profile_id)
    return whole._replace(profile_id=profile_id)


Done = tuple[Visit, Deed]


def act(services: Services, found: Reckoning, pipeline: Pipeline) -> dict[ProfileId, list[Done]]:
    """Bring the visitors up to date, and return what their events do to their slots."""
    done: dict[ProfileId, list[Done]] = {}
    for profile_id, visits in found.whose.items():
        known = visitor = found.kept.visitors[profile_id]
        if profile_id in found.profiles and found.profiles[profile_id].slot in UNKNOWN:
            # Identified once, when that did not qualify: it may by now.
            visitor = visitor._replace(identified_at=None, verified_at=None)
        for visit in found.earlier[profile_id]:
            if found.census.speaks_for(profile_id, visit.event):
                done.setdefault(profile_id, []).append((visit, opt_out(visit.when)))
        for visit in sorted(visits, key=lambda one: (one.when, one.id)):
            heard = visit.event.type == OPT_OUT and _is_heard(found, profile_id, visit)
            if visit.event.type == OPT_OUT and not heard:
                found.refused.append(profile_id)
            for deed in deeds(
                visitor,
                visit.event,
                visit.when,
                services.visiting.capture,
                pipeline,
                heard=heard,
            ):
                done.setdefault(profile_id, []).append((visit, deed))
            visitor = seen(visitor, visit.event, visit.when)
        found.kept.visitors[profile_id] = joined(visitor, known)
    return done


def _is_heard(found: Reckoning, profile_id: ProfileId, visit: Visit) -> bool:
    """Say whether an opt-out counts: a visitor's by who sends it, never by whom it names."""
    census, event = found.census, visit.event
    if known_by(event) is Known.VERIFIED or census.speaks_for(profile_id, event):
        return True
    if is_withdrawn(event):
        return True
    return visit.id not in found.strange and not census.people[profile_id].owned
