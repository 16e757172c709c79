"""Our own read-out fields on a CRM record: what they hold for a profile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from connector.domain.facts import ProfileId
from connector.domain.slots import Slot
from connector.mapping.own_names import (
    NAMES,
    PROFILE,
    REASONS,
    SCORE,
    SCORE_STATE,
    SCORED_AT,
    SINCE,
    SLOT,
)
from connector.stored import Profile


def own_fields(profile: Profile, system: str) -> dict[str, str]:
    """Return our fields by the names they have in a CRM, "" where blank."""
    names = NAMES[system]
    return {names[name]: value for name, value in _values(profile).items()}


def _values(profile: Profile) -> dict[str, str]:
    return {
        SLOT: str(profile.slot.value) if profile.slot else "",
        SINCE: _iso(profile.slot_since),
        PROFILE: profile.id,
        SCORE_STATE: score_state(profile),
        SCORE: "",
        REASONS: "",
        SCORED_AT: "",
    }


def score_state(profile: Profile) -> str:
    """Return how far the score of a profile can be trusted; without a journey there is none."""
    return "suppressed" if profile.slot is Slot.DO_NOT_CONTACT else "no_journey"


def blank_fields(system: str) -> dict[str, str]:
    """Return our read-out fields, all blank: what an erasure leaves."""
    return dict.fromkeys(own_fields(Profile(ProfileId("")), system), "")


def difference(wanted: Mapping[str, str], pushed: Mapping[str, str]) -> dict[str, str]:
    """Return what has to be written so that `pushed` becomes `wanted`."""
    return {name: value for name, value in wanted.items() if pushed.get(name, "") != value}


def _iso(when: datetime | None) -> str:
    if when is None:
        return ""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
