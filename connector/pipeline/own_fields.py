"""Our own read-out fields on a CRM record: what they hold for a profile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from connector.domain.facts import ProfileId
from connector.domain.scores import Score, shown_to
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


def own_fields(profile: Profile, system: str, score: Score | None = None) -> dict[str, str]:
    """Return our fields by the names they have in a CRM, "" where blank."""
    names = NAMES[system]
    return {names[name]: value for name, value in _values(profile, score).items()}


def _values(profile: Profile, score: Score | None) -> dict[str, str]:
    shown = shown_to(profile.slot, score)
    return {
        SLOT: str(profile.slot.value) if profile.slot else "",
        SINCE: _iso(profile.slot_since),
        PROFILE: profile.id,
        SCORE_STATE: shown.state,
        SCORE: "" if shown.value is None else str(shown.value),
        REASONS: shown.reasons,
        SCORED_AT: _iso(shown.at),
    }


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
