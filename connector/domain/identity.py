"""Who is who among visitors: names lead to profiles, and profiles found to be one are joined.

A verified sign-in, a CRM record and an opt-out from a mail prove an address. What was only typed
links a journey to that address's profile, but joins no two profiles that somebody owns. Standard
library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from connector.domain.facts import ProfileId
from connector.domain.journeys import Alias, JourneyEvent, Known
from connector.domain.visits import is_withdrawn, known_by


class Name(NamedTuple):
    """Whose an alias is; `verified` says that it came with a proof, a sign-in mostly."""

    profile_id: ProfileId
    verified: bool = False


class Person(NamedTuple):
    """A profile as identity sees it; it is owned if it has a record or a proven address.

    `muted` says that it stands in slot 10: what was only typed brings it along to nobody.
    """

    id: ProfileId
    since: datetime
    owned: bool = False
    fresh: bool = False
    muted: bool = False


@dataclass(slots=True)
class Census:
    """Who is who, as far as it is known; grows with every event that it is asked about.

    `holders` are the profiles of the CRM records that hold an address, `lost` leads from a
    profile that was joined to the one that it became.
    """

    names: dict[Alias, Name]
    holders: Mapping[str, ProfileId]
    people: dict[ProfileId, Person]
    new_id: Callable[[], ProfileId]
    now: datetime
    claimed: dict[Alias, Name] = field(default_factory=dict)
    lost: dict[ProfileId, ProfileId] = field(default_factory=dict)

    def whose(self, event: JourneyEvent) -> ProfileId:
        """Return the profile that an event belongs to; it may be joined with others later."""
        proven = known_by(event) is Known.VERIFIED
        names = event.aliases
        proves = proven or is_withdrawn(event)
        lent = {alias for alias in names if proves and self._is_borrowed(alias)}
        found = {alias.kind: None if alias in lent else self.holder(alias) for alias in names}
        goal = self._goal(found, proven=proven)
        for alias in names:
            others = {found[alias.kind], None if alias in lent else self._named(alias)}
            for other in others - {None}:
                assert other is not None  # noqa: S101 - taken out above
                if self._may_join(self.root(other), goal, alias.kind, event):
                    goal = self._join(self.root(other), goal)
        for alias in names:
            self._claim(alias, goal, proven=proves)
        return goal

    def root(self, profile_id: ProfileId) -> ProfileId:
        """Return what a profile has become."""
        while profile_id in self.lost:
            profile_id = self.lost[profile_id]
        return profile_id

    def holder(self, alias: Alias) -> ProfileId | None:
        """Return whose a name is: a CRM record's word on an address comes first."""
        held = self.holders.get(alias.value) if alias.kind == "email" else None
        return self.root(held) if held else self._named(alias)

    def speaks_for(self, profile_id: ProfileId, event: JourneyEvent) -> bool:
        """Say whether an event came from where a profile's owner has signed in.

        By the platform's user, or by a device: under another user's name that is anybody's.
        """
        own = {alias.kind for alias in event.aliases if self._is_proven(alias, profile_id)}
        return "user" in own or ("device" in own and (bool(event.email) or not event.user_id))

    def _is_proven(self, alias: Alias, profile_id: ProfileId) -> bool:
        name = self.names.get(alias)
        return name is not None and name.verified and self.root(name.profile_id) == profile_id

    def names_another(self, event: JourneyEvent) -> bool:
        """Say whether an event's address leads to somebody whom its other names don't know."""
        holder = self.holder(Alias("email", event.email)) if event.email else None
        others = (alias for alias in event.aliases if alias.kind != "email")
        return holder is not None and all(self.holder(alias) != holder for alias in others)

    def _is_borrowed(self, alias: Alias) -> bool:
        """Say whether an address was only typed, by somebody who is known by another proof."""
        name = self.names.get(alias)
        held = alias.kind != "email" or alias.value in self.holders
        if held or name is None or name.verified:
            return False
        return self.people[self.root(name.profile_id)].owned

    def _named(self, alias: Alias) -> ProfileId | None:
        name = self.names.get(alias)
        return self.root(name.profile_id) if name else None

    def _goal(self, found: Mapping[str, ProfileId | None], *, proven: bool) -> ProfileId:
        """Return whose an event is by its best name; an unknown name goes where it may."""
        best, *others = found.items() or [("", None)]
        if best[1] is not None:
            return best[1]
        for kind, other in others:
            if other is not None and self._may_take(best[0], kind, other, proven=proven):
                return other
        made = self.new_id()
        self.people[made] = Person(made, self.now, fresh=True)
        return made

    def _may_take(self, name: str, by: str, other: ProfileId, *, proven: bool) -> bool:
        """Say whether a profile found by a lesser name may have a better one that is new."""
        if not self.people[other].owned:
            return True
        if name == "email":  # somebody's own user signs in with another address
            return proven and by == "user"
        return not proven

    def _may_join(self, other: ProfileId, goal: ProfileId, by: str, event: JourneyEvent) -> bool:
        """Say whether a profile found by another name of an event is joined to its goal."""
        person, proven = self.people[other], known_by(event) is Known.VERIFIED
        if person.owned and not (proven and by != "device"):
            return False
        return other != goal and (proven or not (person.muted and event.email))

    def _join(self, one: ProfileId, other: ProfileId) -> ProfileId:
        """Make two profiles one, the older of them."""
        pair = (self.people[one], self.people[other])
        older, younger = sorted(pair, key=lambda person: (person.since, person.fresh, person.id))
        self.lost[younger.id] = older.id
        owned, muted = older.owned or younger.owned, older.muted or younger.muted
        self.people[older.id] = older._replace(owned=owned, muted=muted)
        return older.id

    def _claim(self, alias: Alias, goal: ProfileId, *, proven: bool) -> None:
        """Keep whose a name is; only what is proven takes one from somebody else."""
        known = self.names.get(alias)
        proves = proven and alias.kind == "email"
        if (
            known is not None
            and self.root(known.profile_id) != goal
            and not (proven or alias.kind == "email")
        ):
            return
        name = Name(goal, proven or bool(known and known.verified))
        if proves:
            self.people[goal] = self.people[goal]._replace(owned=True)
        if name != known:
            self.names[alias] = self.claimed[alias] = name
